/**
 * One run inside a Gateway, across restarts of either side.
 *
 * H1 A run is sent once. Where its sending is in doubt, the Gateway is asked for traces of it first; then it is sent
 *    again under the same key, which the Gateway takes for the same run.
 * H2 A run is given up only when the Gateway, connected anew, neither waits for it nor has it among its tasks, and
 *    ends it if it is there after all: whoever tries again starts no second one beside it.
 * H3 A run that is to end is told so as soon as there is a connection, until it has ended or its grace is over.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../contracts/errors.ts';
import { type Call, GatewayClosed, type GatewayConnection } from './connection.ts';
import type { GatewayLink } from './link.ts';
import {
  type AgentRequest,
  abortRun,
  callAgent,
  endOfAnswer,
  findTask,
  type GatewayEnd,
  lastReply,
  waitForRun,
} from './requests.ts';

export interface GatewayRunOptions {
  readonly link: GatewayLink;
  readonly run: string;
  readonly session: string;
  /** To send it again where it was never taken on; null for a run that was spawned by a tool. */
  readonly request: AgentRequest | null;
  readonly traceparent: string;
  /** The question by which it was sent, if that is still open. */
  readonly call: Call | null;
  readonly isAccepted: boolean;
  readonly onAccepted: () => Promise<void>;
  /** How long to listen for signs of a run that the Gateway does not know, before it is asked again. */
  readonly unknownMs: number;
}

/** How it ended; `lost` where nobody can say. */
export type GatewayOutcome =
  | { readonly kind: 'ended'; readonly end: GatewayEnd }
  | { readonly kind: 'lost'; readonly reason: string };

/** How long one question waits at the Gateway. */
const WAIT_MS = 20_000;
/** Looks at which it is unknown, after which it is given up. */
const UNKNOWN_MAX = 3;
/** Beyond its grace, for a Gateway that is just coming back. */
const STOP_MARGIN_MS = 5_000;

export class GatewayRun {
  /** Never rejects; stays pending after `detach`. */
  readonly outcome: Promise<GatewayOutcome>;
  lastSignAt = Date.now();
  /** Whether the Gateway has confirmed that it ended the run. */
  wasAborted = false;
  readonly #options: GatewayRunOptions;
  readonly #given = new AbortController();
  #resolve: (outcome: GatewayOutcome) => void = () => {};
  #isAccepted: boolean;
  #isOver = false;
  #isStopping = false;
  #limit: NodeJS.Timeout | undefined;

  constructor(options: GatewayRunOptions) {
    this.#options = options;
    this.#isAccepted = options.isAccepted;
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    options.link.hold(this);
    options.link.listen(options.run, () => {
      this.lastSignAt = Date.now();
    });
    void this.#follow().then(
      (outcome) => this.#end(outcome),
      (error: unknown) => this.#end({ kind: 'lost', reason: messageOf(error) }),
    );
  }

  /** H3 */
  stop(graceMs: number): void {
    if (this.#isStopping || this.#isOver) return;
    this.#isStopping = true;
    const reason = 'it was told to end, and the Gateway did not confirm that it has';
    this.#limit = setTimeout(() => this.#end({ kind: 'lost', reason }), graceMs + STOP_MARGIN_MS);
    void this.#abort();
  }

  detach(): void {
    this.#letGo();
  }

  async #follow(): Promise<GatewayOutcome> {
    const { call } = this.#options;
    let isInDoubt = call === null;
    if (call) {
      const end = await this.#finalOf(call);
      if (end) return { kind: 'ended', end };
      isInDoubt = true;
    }
    for (;;) {
      const connection = await this.#options.link.reconnect(this.#given.signal);
      try {
        const outcome = await this.#followOn(connection, isInDoubt);
        if (outcome) return outcome;
      } catch (error) {
        if (!(error instanceof GatewayClosed) || error.isFatal) throw error;
      }
    }
  }

  /** null where the connection broke, or the run goes on without this question. */
  async #finalOf(call: Call): Promise<GatewayEnd | null> {
    try {
      const end = endOfAnswer(await call.final);
      return end === 'in_flight' ? null : end;
    } catch (error) {
      if (error instanceof GatewayClosed && !error.isFatal) return null;
      throw error;
    }
  }

  async #followOn(connection: GatewayConnection, isInDoubt: boolean): Promise<GatewayOutcome | null> {
    if (this.#isStopping) void this.#abort();
    for (let unknown = 0; unknown < UNKNOWN_MAX; ) {
      const look = await this.#look(connection);
      if (look === 'going_on') unknown = 0;
      else if (look !== 'unknown') return { kind: 'ended', end: look };
      else if (!this.#isAccepted && (await this.#wasNeverTaken(connection))) return this.#send(connection);
      else if (isInDoubt) unknown++;
      if (look === 'unknown')
        await pause(this.#options.unknownMs, undefined, { signal: this.#given.signal }).catch(() => {});
      if (this.#isOver) return null;
    }
    return this.#giveUp(connection);
  }

  async #look(connection: GatewayConnection): Promise<GatewayEnd | 'going_on' | 'unknown'> {
    const { run, session, unknownMs } = this.#options;
    const lookedAt = Date.now();
    // The wait is answered at once where the run has ended; a long one is for a run that is known.
    const known = await findTask(connection, run, session);
    const waited = await waitForRun(connection, run, known === 'running' ? WAIT_MS : unknownMs);
    if (waited === 'pending') return 'going_on';
    if (waited !== 'unknown') return this.#withText(connection, waited.end);
    if (known === 'running' || this.lastSignAt > lookedAt) return 'going_on';
    return known === 'unknown' ? 'unknown' : this.#withText(connection, known.end);
  }

  async #withText(connection: GatewayConnection, end: GatewayEnd): Promise<GatewayEnd> {
    if (!end.isOk || end.text !== undefined) return end;
    return { ...end, text: (await lastReply(connection, this.#options.session)) ?? undefined };
  }

  /** H1 */
  async #wasNeverTaken(connection: GatewayConnection): Promise<boolean> {
    const { request, session } = this.#options;
    return request !== null && !this.#isStopping && (await lastReply(connection, session)) === null;
  }

  async #send(connection: GatewayConnection): Promise<GatewayOutcome | null> {
    const { request, traceparent } = this.#options;
    if (!request) return null;
    const call = callAgent(connection, request, traceparent);
    const first = await call.first;
    this.#isAccepted = first.ok;
    if (first.ok) await this.#options.onAccepted();
    const end = endOfAnswer(await call.final);
    return end === 'in_flight' ? null : { kind: 'ended', end };
  }

  /** H2 */
  async #giveUp(connection: GatewayConnection): Promise<GatewayOutcome> {
    const { run, session } = this.#options;
    this.wasAborted ||= await abortRun(connection, run, session);
    const how = this.wasAborted ? 'and was ended' : 'and has no active run of that name';
    return {
      kind: 'lost',
      reason: `the Gateway does not know the run any more ${how}: it was restarted meanwhile`,
    };
  }

  async #abort(): Promise<void> {
    const { link, run, session } = this.#options;
    try {
      const connection = await link.reconnect(this.#given.signal);
      if (await abortRun(connection, run, session)) this.wasAborted = true;
    } catch {
      // The connection broke: whoever makes the next one aborts again (followOn).
    }
  }

  #end(outcome: GatewayOutcome): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#resolve(outcome);
  }

  #letGo(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#limit);
    this.#given.abort();
    this.#options.link.listen(this.#options.run, null);
    this.#options.link.release(this);
  }
}
