/**
 * One run inside a Gateway, across restarts of either side.
 *
 * Invariant attempts/started-at-most-once: a run is sent once. If it is not known whether it arrived, the Gateway is first
 * asked for traces of it; then it is sent again under the same key, which the Gateway takes for the same run.
 *
 * Invariant attempts/ended-for-certain: a run is given up only if the Gateway, connected again, neither waits for it nor
 * has it among its tasks; it is then aborted in case it still runs, so that a retry starts no second one beside it.
 *
 * A run that is to end is aborted as soon as there is a connection, until it has ended or its grace is over.
 */
import { deferred } from '../../base/deferred.ts';
import { pause } from '../../base/time.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type GatewayCall, GatewayClosed, type GatewayConnection } from './connection.ts';
import type { GatewayLink } from './link.ts';
import {
  type AgentRequest,
  abortRun,
  callAgent,
  endOfAnswer,
  findGatewayTask,
  type GatewayEnd,
  lastReply,
  waitForRun,
} from './requests.ts';

export interface GatewayRunOptions {
  readonly link: GatewayLink;
  readonly run: string;
  readonly session: string;
  /** To send it again if the Gateway never got it; null for a run that was spawned by a tool. */
  readonly request: AgentRequest | null;
  readonly traceparent: string;
  /** The request that started it, if it is still open. */
  readonly call: GatewayCall | null;
  readonly isAccepted: boolean;
  readonly onAccepted: () => Promise<void>;
  /** How long to wait for signs of a run that the Gateway does not know before asking again. */
  readonly unknownMs: number;
}

/** How it ended; `lost` if it is not known. */
export type GatewayOutcome =
  | { readonly kind: 'ended'; readonly end: GatewayEnd }
  | { readonly kind: 'lost'; readonly reason: string };

/** How long one request waits at the Gateway. */
const WAIT_MS = 20_000;
/** A run is given up after it was unknown this many times. */
const MAX_UNKNOWN = 3;
/** Time beyond its grace, for a Gateway that is being restarted. */
const STOP_MARGIN_MS = 5_000;

export class GatewayRun {
  lastSignAt = Date.now();
  /** Whether the Gateway has confirmed that it ended the run. */
  wasAborted = false;
  readonly #options: GatewayRunOptions;
  readonly #over = new AbortController();
  readonly #outcome = deferred<GatewayOutcome>();
  /** Never rejects; stays pending after `detach`. */
  readonly outcome = this.#outcome.promise;
  #isAccepted: boolean;
  #isOver = false;
  #isStopping = false;
  #limit: NodeJS.Timeout | undefined;

  constructor(options: GatewayRunOptions) {
    this.#options = options;
    this.#isAccepted = options.isAccepted;
    options.link.hold(this);
    options.link.listen(options.run, () => {
      this.lastSignAt = Date.now();
    });
    void this.#follow().then(
      (outcome) => this.#end(outcome),
      (error: unknown) => this.#end({ kind: 'lost', reason: messageOf(error) }),
    );
  }

  stop(graceMs: number): void {
    if (this.#isStopping || this.#isOver) return;
    this.#isStopping = true;
    const reason = 'the Gateway did not confirm that it ended the run';
    this.#limit = setTimeout(() => this.#end({ kind: 'lost', reason }), graceMs + STOP_MARGIN_MS);
    void this.#abort();
  }

  detach(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#limit);
    this.#over.abort();
    this.#options.link.listen(this.#options.run, null);
    this.#options.link.release(this);
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
      const connection = await this.#options.link.reconnect(this.#over.signal);
      try {
        const outcome = await this.#followOn(connection, isInDoubt);
        if (outcome) return outcome;
      } catch (error) {
        if (!(error instanceof GatewayClosed) || error.isFatal) throw error;
      }
    }
  }

  /** Null if the connection broke, or the run continues without this request. */
  async #finalOf(call: GatewayCall): Promise<GatewayEnd | null> {
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
    for (let unknown = 0; unknown < MAX_UNKNOWN; ) {
      const found = await this.#check(connection);
      if (found === 'running') unknown = 0;
      else if (found !== 'unknown') return { kind: 'ended', end: found };
      else if (!this.#isAccepted && (await this.#wasNeverReceived(connection))) return this.#send(connection);
      else if (isInDoubt) unknown++;
      if (found === 'unknown') await pause(this.#options.unknownMs, this.#over.signal);
      if (this.#isOver) return null;
    }
    return this.#giveUp(connection);
  }

  async #check(connection: GatewayConnection): Promise<GatewayEnd | 'running' | 'unknown'> {
    const { run, session, unknownMs } = this.#options;
    const checkedAt = Date.now();
    // The wait is answered at once if the run has ended; only a run that is known gets a long one.
    const known = await findGatewayTask(connection, run, session);
    const waited = await waitForRun(connection, run, known === 'running' ? WAIT_MS : unknownMs);
    if (waited === 'pending') return 'running';
    if (waited !== 'unknown') return this.#withText(connection, waited.end);
    if (known === 'running' || this.lastSignAt > checkedAt) return 'running';
    return known === 'unknown' ? 'unknown' : this.#withText(connection, known.end);
  }

  async #withText(connection: GatewayConnection, end: GatewayEnd): Promise<GatewayEnd> {
    if (!end.isOk || end.text !== undefined) return end;
    return { ...end, text: (await lastReply(connection, this.#options.session)) ?? undefined };
  }

  async #wasNeverReceived(connection: GatewayConnection): Promise<boolean> {
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

  async #giveUp(connection: GatewayConnection): Promise<GatewayOutcome> {
    const { run, session } = this.#options;
    this.wasAborted ||= await abortRun(connection, run, session);
    const how = this.wasAborted ? 'and has ended it' : 'and has no active run of that name';
    const reason = `the Gateway does not know the run any more ${how}: it was restarted meanwhile`;
    return { kind: 'lost', reason };
  }

  async #abort(): Promise<void> {
    const { link, run, session } = this.#options;
    try {
      const connection = await link.reconnect(this.#over.signal);
      if (await abortRun(connection, run, session)) this.wasAborted = true;
    } catch {
      // The connection broke: the run is aborted again over the next one (see #followOn).
    }
  }

  #end(outcome: GatewayOutcome): void {
    if (this.#isOver) return;
    this.detach();
    this.#outcome.resolve(outcome);
  }
}
