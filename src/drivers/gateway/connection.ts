/**
 * One WebSocket connection to an OpenClaw Gateway, from its handshake to its end.
 *
 * Answers are matched to requests by id, in any order; a second answer to `agent` under the same id is the end of the run,
 * and other answers that are not expected are ignored. When the connection is over, all open requests fail. A Gateway is
 * taken for gone if it is silent for more than two of its own ticks, or leaves a request without a first answer for as
 * long although it ticks.
 */
import WebSocket from 'ws';
import { type Deferred, deferred } from '../../base/deferred.ts';
import { withLimit } from '../../base/time.ts';
import { VERSION } from '../../version.ts';
import { type EventFrame, type GatewayError, helloSchema, type ResponseFrame, readFrame } from './frames.ts';

/** The connection could not be made, or is over. */
export class GatewayClosed extends Error {
  override readonly name = 'GatewayClosed';
  /** Whether trying again is useless: the token is wrong, or the protocol does not match. */
  readonly isFatal: boolean;

  constructor(message: string, isFatal = false) {
    super(message);
    this.isFatal = isFatal;
  }
}

export interface Answer {
  readonly ok: boolean;
  readonly payload: unknown;
  readonly error: GatewayError | undefined;
}

/** The answers to a request. Both reject with {@link GatewayClosed} if the connection ends before. */
export interface GatewayCall {
  readonly first: Promise<Answer>;
  /** The answer that is not "accepted"; the first one if there is only one. */
  readonly final: Promise<Answer>;
}

export interface GatewayOptions {
  readonly url: string;
  readonly token: string;
  readonly onEvent: (frame: EventFrame) => void;
}

interface CallOptions {
  readonly traceparent?: string;
  readonly waitMs?: number;
}

interface Pending {
  readonly limit: NodeJS.Timeout;
  readonly first: Deferred<Answer>;
  readonly final: Deferred<Answer>;
}

const MAX_HANDSHAKE_MS = 10_000;
const PROTOCOL = { minProtocol: 3, maxProtocol: 4 };
/** The code with which OpenClaw itself closes a silent connection. */
const CLOSE_SILENT = 4_000;
const DEFAULT_TICK_MS = 30_000;
/** More than two, since a tick may be late. */
const MAX_TICKS = 2.5;
const FATAL_CODES: ReadonlySet<string> = new Set(
  'AUTH_TOKEN_MISMATCH PROTOCOL_MISMATCH INVALID_REQUEST'.split(' '),
);

export class GatewayConnection {
  readonly #socket: WebSocket;
  readonly #options: GatewayOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #closed = deferred<GatewayClosed>();
  /** Resolves with the reason when the connection is over. */
  readonly closed = this.#closed.promise;
  readonly #challenged = deferred();
  #over: GatewayClosed | undefined;
  #id = 0;
  #tickMs = DEFAULT_TICK_MS;
  #silence: NodeJS.Timeout | undefined;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.#socket = new WebSocket(options.url, {
      perMessageDeflate: false,
      handshakeTimeout: MAX_HANDSHAKE_MS,
    });
    this.#socket.on('error', (error) => this.#end(new GatewayClosed(error.message)));
    this.#socket.on('close', (code, reason) => {
      const why = reason.length > 0 ? `: ${reason}` : '';
      this.close(`the Gateway closed the connection (${code}${why})`);
    });
    this.#socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#receive(String(data));
    });
  }

  /** @throws GatewayClosed */
  static async open(options: GatewayOptions): Promise<GatewayConnection> {
    const connection = new GatewayConnection(options);
    const closed = connection.closed.then((why) => Promise.reject(why));
    try {
      await withLimit(Promise.race([connection.#shakeHands(), closed]), MAX_HANDSHAKE_MS, () => {
        throw new GatewayClosed('the Gateway did not complete the handshake');
      });
      return connection;
    } catch (error) {
      connection.close('the handshake failed');
      throw error;
    }
  }

  /** @param waitMs how long the request itself may take at the Gateway */
  call(method: string, params: object, { traceparent, waitMs = 0 }: CallOptions = {}): GatewayCall {
    this.#id++;
    const id = String(this.#id);
    const limit = setTimeout(
      () => this.close(`the Gateway did not answer ${method}`),
      waitMs + this.#tickMs * MAX_TICKS,
    );
    const pending: Pending = { limit, first: answerLater(), final: answerLater() };
    if (this.#over) rejectBoth(pending, this.#over);
    else {
      this.#pending.set(id, pending);
      this.#socket.send(
        JSON.stringify({ type: 'req', id, method, params, ...(traceparent && { traceparent }) }),
      );
    }
    return { first: pending.first.promise, final: pending.final.promise };
  }

  close(why: string): void {
    this.#end(new GatewayClosed(why));
  }

  async #shakeHands(): Promise<void> {
    await this.#challenged.promise;
    const { ok, payload, error } = await this.call('connect', {
      ...PROTOCOL,
      // The Gateway knows only certain ids.
      client: {
        id: 'gateway-client',
        displayName: 'signalbox',
        version: VERSION,
        platform: process.platform,
        mode: 'backend',
      },
      role: 'operator',
      scopes: ['operator.read', 'operator.write'],
      auth: { token: this.#options.token },
    }).first;
    const hello = ok ? helloSchema.safeParse(payload) : null;
    if (!hello?.success) throw refusal(error);
    this.#tickMs = hello.data.policy?.tickIntervalMs ?? DEFAULT_TICK_MS;
    this.#noteSign();
  }

  #receive(text: string): void {
    this.#noteSign();
    const frame = readFrame(text);
    if (frame?.type === 'res') this.#answer(frame);
    else if (frame?.event === 'connect.challenge') this.#challenged.resolve();
    else if (frame) this.#options.onEvent(frame);
  }

  #answer({ id, ok, payload, error }: ResponseFrame): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    clearTimeout(pending.limit);
    const answer = { ok, payload, error };
    pending.first.resolve(answer);
    if (ok && isAccepted(payload)) return;
    this.#pending.delete(id);
    pending.final.resolve(answer);
  }

  #noteSign(): void {
    clearTimeout(this.#silence);
    if (this.#over) return;
    this.#silence = setTimeout(() => {
      this.#socket.close(CLOSE_SILENT);
      this.#end(new GatewayClosed('the Gateway was silent for two ticks'));
    }, this.#tickMs * MAX_TICKS);
  }

  #end(why: GatewayClosed): void {
    if (this.#over) return;
    this.#over = why;
    clearTimeout(this.#silence);
    for (const pending of this.#pending.values()) rejectBoth(pending, why);
    this.#pending.clear();
    this.#socket.terminate();
    this.#closed.resolve(why);
  }
}

function isAccepted(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && Reflect.get(payload, 'status') === 'accepted';
}

function refusal(error: GatewayError | undefined): GatewayClosed {
  if (!error) return new GatewayClosed('the Gateway answered the handshake with something else', true);
  const { code, message, details } = error;
  const why = details?.code ?? details?.reason;
  const isFatal = FATAL_CODES.has(code) || FATAL_CODES.has(details?.code ?? '');
  return new GatewayClosed(`the Gateway refused the connection: ${message} (${why ?? code})`, isFatal);
}

function answerLater(): Deferred<Answer> {
  const answer = deferred<Answer>();
  // A caller awaits one of the two answers; a rejection of the other one must not count as unhandled.
  answer.promise.catch(() => {});
  return answer;
}

function rejectBoth({ limit, first, final }: Pending, why: GatewayClosed): void {
  clearTimeout(limit);
  first.reject(why);
  final.reject(why);
}
