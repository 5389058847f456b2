/**
 * One WebSocket connection to an OpenClaw Gateway, from its handshake to its end.
 *
 * C1 An answer finds its question by its id, in whatever order; a second answer to `agent` under the same id is its
 *    end, and any other that nobody waits for is left alone.
 * C2 When the connection is over, every question that is open fails: nothing waits for what cannot come.
 * C3 A Gateway that is silent for more than two of its own ticks is taken for gone; so is one that ticks, and leaves a
 *    question without its first answer for as long.
 */
import WebSocket from 'ws';
import { VERSION } from '../../version.ts';
import { type EventFrame, type GatewayError, helloSchema, type ResponseFrame, readFrame } from './frames.ts';

/** The connection could not be made, or is over. */
export class GatewayClosed extends Error {
  override readonly name = 'GatewayClosed';
  /** Another try is of no use: the token is wrong, or the protocol is another one. */
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

/** A question. Both reject with {@link GatewayClosed} when the connection is over before. */
export interface Call {
  readonly first: Promise<Answer>;
  /** The answer that is not "accepted"; the first one where there is only one. */
  readonly final: Promise<Answer>;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly token: string;
  readonly onEvent: (frame: EventFrame) => void;
}

export interface CallOptions {
  readonly traceparent?: string;
  readonly waitMs?: number;
}

interface Pending {
  readonly limit: NodeJS.Timeout;
  readonly first: PromiseWithResolvers;
  readonly final: PromiseWithResolvers;
}

interface PromiseWithResolvers {
  readonly promise: Promise<Answer>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const HANDSHAKE_MS = 10_000;
const PROTOCOL = { minProtocol: 3, maxProtocol: 4 };
/** As OpenClaw itself says when it closes for this. */
const CLOSE_SILENT = 4_000;
const DEFAULT_TICK_MS = 30_000;
/** More than two, since a tick may be late. */
const TICKS_MAX = 2.5;
const FATAL_CODES: ReadonlySet<string> = new Set([
  'AUTH_TOKEN_MISMATCH',
  'PROTOCOL_MISMATCH',
  'INVALID_REQUEST',
]);

export class GatewayConnection {
  /** Resolves with why, when it is over. */
  readonly closed: Promise<GatewayClosed>;
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<string, Pending>();
  #resolveClosed: (why: GatewayClosed) => void = () => {};
  #over: GatewayClosed | undefined;
  #id = 0;
  #tickMs = DEFAULT_TICK_MS;
  #silence: NodeJS.Timeout | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#socket = new WebSocket(options.url, { perMessageDeflate: false, handshakeTimeout: HANDSHAKE_MS });
    this.#socket.on('error', (error) => this.#end(new GatewayClosed(error.message)));
    this.#socket.on('close', (code, reason) =>
      this.#end(
        new GatewayClosed(
          `the Gateway closed the connection (${code}${reason.length > 0 ? `: ${reason}` : ''})`,
        ),
      ),
    );
    this.#socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#hear(String(data));
    });
  }

  /** @throws GatewayClosed */
  static async open(options: ConnectionOptions): Promise<GatewayConnection> {
    const connection = new GatewayConnection(options);
    const limit = setTimeout(() => connection.close('it did not shake hands'), HANDSHAKE_MS);
    try {
      await Promise.race([connection.#shakeHands(), connection.closed.then((why) => Promise.reject(why))]);
      return connection;
    } catch (error) {
      connection.close('the handshake failed');
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** @param waitMs how long the Gateway may take with it by itself */
  call(method: string, params: object, { traceparent, waitMs = 0 }: CallOptions = {}): Call {
    this.#id++;
    const id = String(this.#id);
    const limit = setTimeout(
      () => this.close(`the Gateway did not answer to ${method}`),
      waitMs + this.#tickMs * TICKS_MAX,
    );
    const pending: Pending = { limit, first: withResolvers(), final: withResolvers() };
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

  #challenge: () => void = () => {};
  readonly #challenged = new Promise<void>((resolve) => {
    this.#challenge = resolve;
  });

  async #shakeHands(): Promise<void> {
    await this.#challenged;
    const { ok, payload, error } = await this.call('connect', {
      ...PROTOCOL,
      // The id is one of a closed list.
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

  #hear(text: string): void {
    this.#noteSign();
    const frame = readFrame(text);
    if (frame?.type === 'res') this.#answer(frame);
    else if (frame?.event === 'connect.challenge') this.#challenge();
    else if (frame) this.#options.onEvent(frame);
  }

  /** C1 */
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

  /** C3 */
  #noteSign(): void {
    clearTimeout(this.#silence);
    if (this.#over) return;
    this.#silence = setTimeout(() => {
      this.#socket.close(CLOSE_SILENT);
      this.#end(new GatewayClosed('the Gateway was silent for two ticks'));
    }, this.#tickMs * TICKS_MAX);
  }

  /** C2 */
  #end(why: GatewayClosed): void {
    if (this.#over) return;
    this.#over = why;
    clearTimeout(this.#silence);
    for (const pending of this.#pending.values()) rejectBoth(pending, why);
    this.#pending.clear();
    this.#socket.terminate();
    this.#resolveClosed(why);
  }
}

function isAccepted(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && Reflect.get(payload, 'status') === 'accepted';
}

function refusal(error: GatewayError | undefined): GatewayClosed {
  if (!error) return new GatewayClosed('the Gateway did not answer the handshake as it should', true);
  const { code, message, details } = error;
  const why = details?.code ?? details?.reason;
  const isFatal = FATAL_CODES.has(code) || FATAL_CODES.has(details?.code ?? '');
  return new GatewayClosed(`the Gateway refused the connection: ${message} (${why ?? code})`, isFatal);
}

function withResolvers(): PromiseWithResolvers {
  let resolve: (answer: Answer) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Answer>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Who asks awaits one of the two; the other one must not count as unhandled.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function rejectBoth({ limit, first, final }: Pending, why: GatewayClosed): void {
  clearTimeout(limit);
  first.reject(why);
  final.reject(why);
}
