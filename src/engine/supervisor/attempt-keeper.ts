/**
 * The runs of open attempts: starts what was claimed, watches and stops it, and records its end. Long because
 * all of it concerns the runs that are open.
 *
 * Invariant attempts/started-at-most-once: a run is started only after its claim is in the log, and at most once. After
 * a restart, a claim without a recorded start is settled by what the driver finds, never by starting again on a guess.
 * Invariant attempts/ended-for-certain: every open attempt ends: by its own process, its deadline, a stop, or as lost.
 */
import type { Logger } from 'pino';
import { messageOf, unreachable } from '../../contracts/errors.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import { type AttemptRef, attemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import type { Output, StopReason, TaskSpec } from '../../contracts/tasks.ts';
import {
  type Adoption,
  NotBegun,
  type Run,
  type RunAnswer,
  type RunEnd,
  type RunMessage,
  type RunStart,
} from '../../drivers/driver.ts';
import type { TreeEntry } from '../../process/runner.ts';
import { attemptOf, taskOf } from '../runtime/views.ts';
import type { AgentDefinition } from './agent-roster.ts';
import { AttemptClock } from './attempt-clock.ts';
import { ACTIVE_STATES, type AttemptEnds } from './attempt-ends.ts';
import { type RunRequests, timeoutOf } from './run-requests.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import type { WorkspaceKeeper } from './workspaces/workspace-keeper.ts';

interface AttemptKeeperParts extends SupervisorContext {
  readonly requests: RunRequests;
  readonly ends: AttemptEnds;
  readonly workspaces: Pick<WorkspaceKeeper, 'prepare' | 'withdraw' | 'takeDiff'>;
  /** The stored answers to the questions of an attempt. */
  readonly answersFor: (attempt: AttemptRef) => readonly RunAnswer[];
}

export class AttemptKeeper {
  readonly #options: AttemptKeeperParts;
  readonly #clock: AttemptClock;
  readonly #ends: AttemptEnds;
  readonly #runs = new Map<string, { readonly run: Run; readonly graceMs: number }>();
  #detached = false;

  constructor(options: AttemptKeeperParts) {
    this.#options = options;
    this.#ends = options.ends;
    this.#clock = new AttemptClock(options, (attempt, reason) => this.requestStop(attempt, reason));
  }

  /** Records the start of a run with its claim, if it is certain. @param spec of its task, which may not be stored yet */
  recordStartOf(claim: EventOf<'task.claimed'>, spec: TaskSpec | undefined): void {
    const agent = this.#options.roster.get(claim.agent);
    if (agent?.driver.startsWithClaim) this.#recordStart(claim, agent, agent.driver.startsWithClaim, spec);
  }

  /** Reacts to a stored claim: starts its run. */
  start(claim: EventOf<'task.claimed'>): void {
    const agent = this.#options.roster.get(claim.agent);
    if (!agent)
      return this.#ends.recordUnstarted(claim, claim.agent, `agent ${claim.agent} is not configured`);
    // The stop was decided before the claim was stored.
    if (this.#stateOf(claim) === 'stopping') return this.#end(claim, agent.id, STOPPED_BEFORE);
    this.#launch(claim, agent);
  }

  /** Settles an attempt that was open when this process started. Waits for no start, and for no service. */
  async resume(claim: AttemptRef & { readonly agent: string }): Promise<void> {
    const configured = this.#options.roster.get(claim.agent);
    const gone = lost(`agent ${claim.agent} is not configured any more`);
    const agent = configured ?? this.#substituteFor(claim.agent);
    if (!agent) return this.#end(claim, claim.agent, gone);
    this.#stopIfUnwanted(claim);
    const adoption = await agent.driver.adopt(this.#options.requests.requestOf(claim, agent)).catch(
      (error: unknown): Adoption => ({
        kind: 'ended',
        start: null,
        end: lost(`looking for its process failed: ${messageOf(error)}`),
      }),
    );
    if (this.#detached) {
      if (adoption.kind === 'running') adoption.run.detach();
      return;
    }
    const logger = this.#logger(claim, agent.id);
    const state = this.#stateOf(claim);
    switch (adoption.kind) {
      case 'running':
        logger.info({ pid: adoption.run.start.pid }, 'adopted');
        return this.#takeOver(claim, agent, adoption.run);
      case 'ended':
        logger.info({ result: adoption.end.result }, 'ended while Signalbox was not running');
        if (state === 'requested' && adoption.start) this.#recordStart(claim, agent, adoption.start);
        return this.#end(claim, agent.id, adoption.end);
      case 'starting':
        void this.#await(claim, agent, () => adoption.run);
        return;
      case 'never_started':
        if (state === 'stopping') return this.#end(claim, agent.id, STOPPED_BEFORE);
        if (state !== 'requested')
          return this.#end(claim, agent.id, lost('its start is in the log, and no trace of it is left'));
        if (!configured) return this.#end(claim, agent.id, gone);
        return this.#launch(claim, agent);
      default:
        return unreachable(adoption, 'resume');
    }
  }

  /** Reacts to a stored `attempt.started`. */
  onStarted(event: EventOf<'attempt.started'>): void {
    this.#clock.onStarted(event, event.deadline_ms);
  }

  /** Reacts to a stored extension: its time limits are later, unless it waits for an answer, which sets them. */
  onExtended(event: EventOf<'attempt.extended'>): void {
    if (this.#stateOf(event) !== 'waiting')
      this.#clock.onExtended(event, event.deadline_ms, event.silent_until_ms);
  }

  /** Reacts to a stored question, and to a stored `attempt.wait_resumed`: the attempt waits. */
  onWaiting(attempt: AttemptRef): void {
    this.#clock.onWaiting(attempt);
  }

  /** Reacts to a stored `attempt.wait_ended`. */
  onWaitEnded(event: EventOf<'attempt.wait_ended'>): void {
    this.#goOn(event, event.deadline_ms);
  }

  /** Reacts to a stored answer. */
  onAnswered(attempt: AttemptRef, answer: RunAnswer, deadline: number | undefined): void {
    this.#runs.get(attemptKey(attempt))?.run.answer?.(answer);
    if (deadline !== undefined) this.#goOn(attempt, deadline);
  }

  /** An attempt waits no longer. */
  #goOn(attempt: AttemptRef, deadline: number): void {
    const { state, context } = this.#options.host.get('attempt', attemptKey(attempt)) ?? {};
    if (state !== 'waiting' && context?.verdict === null) this.#clock.onAnswered(attempt, deadline);
  }

  /** Passes a message into the running agent. Resolves to false if that is not possible. */
  async steer(attempt: AttemptRef, message: RunMessage): Promise<boolean> {
    return (
      (await this.#runs
        .get(attemptKey(attempt))
        ?.run.steer?.(message)
        .catch(() => false)) ?? false
    );
  }

  /** The agent gave a sign of life: if it was suspected, it recovers. */
  noteSign(attempt: AttemptRef, evidence: string): void {
    this.#clock.noteSign(attempt, evidence);
  }

  /** A report of the agent was refused, or (null) accepted. */
  noteReport(attempt: AttemptRef, refusal: string | null): void {
    this.#ends.noteReport(attempt, refusal);
  }

  /** Epoch milliseconds at which it is stopped if it stays silent; null if silence alone stops nothing. */
  silentUntil(attempt: AttemptRef): number | null {
    return this.#clock.silentUntil(attempt);
  }

  /** The living processes of an open attempt; null if it has none to show. */
  async treeOf(attempt: AttemptRef): Promise<readonly TreeEntry[] | null> {
    return (await this.#runs.get(attemptKey(attempt))?.run.tree?.()) ?? null;
  }

  /** Reacts to a stored `attempt.stop_requested`. A run that is being started is stopped when it is there. */
  onStopRequested(event: EventOf<'attempt.stop_requested'>): void {
    const watched = this.#runs.get(attemptKey(event));
    if (watched) return watched.run.stop(watched.graceMs);
    this.#options.workspaces.withdraw(event);
    const agent = this.#options.host.get('attempt', attemptKey(event))?.context.agent ?? '';
    this.#options.roster.get(agent)?.driver.withdraw?.(event);
  }

  /** Reacts to a stored message by which the agent reports its result. */
  onVerdict(attempt: AttemptRef): void {
    this.#clock.onVerdict(attempt);
  }

  /**
   * Adds what an attempt has changed to its outputs, if it works in a workspace of its own and that is not known yet.
   * @throws SignalboxError `internal` with what is in the way
   */
  async addDiff({ project, task, attempt }: AttemptRef, agent: string): Promise<void> {
    const diff = await this.#options.workspaces.takeDiff({ project, task, attempt }, agent);
    if (diff === null) return;
    const output = await this.#ends.kept(diff);
    this.#options.decide({ type: 'task.output_added', project, task, attempt, output }, `agent:${agent}`);
  }

  /** Resolves when no run that is watched now is left. */
  async whenNoneRuns(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ run }) => run.ended));
  }

  /**
   * Decides to stop an open attempt; does nothing if it is stopping or over. If the log is damaged, the run is stopped
   * although that cannot be recorded: the start with a restored log finds how it ended.
   */
  requestStop(ref: AttemptRef, reason: StopReason): void {
    const state = this.#stateOf(ref);
    if (state === undefined || state === 'stopping') return;
    if (this.#mayGoOn(ref, reason)) return;
    const { project, task, attempt } = ref;
    const refusal = this.#options.decide({ type: 'attempt.stop_requested', project, task, attempt, reason });
    const watched = this.#runs.get(attemptKey(ref));
    if (refusal?.code === 'log_corrupt' && watched) watched.run.stop(watched.graceMs);
  }

  /** Whether it must not be stopped for its time or its silence: what gives it more may be decided and not stored yet. */
  #mayGoOn(ref: AttemptRef, reason: StopReason): boolean {
    if (reason !== 'timeout' && reason !== 'silence') return false;
    const { state, context } = this.#options.host.get('attempt', attemptKey(ref)) ?? {};
    const until = reason === 'timeout' ? context?.deadline : context?.silentUntil;
    return state === 'waiting' || (until ?? 0) > this.#options.environment.clock.now();
  }

  /** Epoch milliseconds of the next attempt; null if none is left, or if the task has moved on from its attempt. */
  retryAt(ref: TaskRef): number | null {
    return this.#ends.retryAt(ref);
  }

  /** Stops watching. Every process is left running, to be adopted by the next Signalbox. */
  detach(): void {
    this.#detached = true;
    for (const { run } of this.#runs.values()) run.detach();
    for (const driver of this.#options.roster.drivers()) driver.close?.();
    this.#runs.clear();
    this.#clock.clear();
  }

  /** The task moved on without a report of its agent: the stop may have been lost in a crash. */
  #stopIfUnwanted(attempt: AttemptRef): void {
    const { host } = this.#options;
    const state = host.get('task', taskKey(attempt))?.state ?? '';
    const verdict = host.get('attempt', attemptKey(attempt))?.context.verdict ?? null;
    if (state === 'cancelled') return this.requestStop(attempt, 'cancelled');
    // After another verdict only a user can have blocked it.
    const isBlocked = state === 'blocked' && verdict !== 'blocked';
    if (isBlocked || (verdict === null && !ACTIVE_STATES.has(state))) this.requestStop(attempt, 'operator');
  }

  /** An agent with the same driver, which can supervise the run of an agent that is no longer configured. */
  #substituteFor(id: string): AgentDefinition | undefined {
    const driver = this.#options.projections.agents.byId.get(id)?.driver;
    for (const agent of this.#options.roster.all()) if (agent.driver.name === driver) return { ...agent, id };
    return undefined;
  }

  /** Starts the run of a claim, at once if its driver can. */
  #launch(claim: AttemptRef, agent: AgentDefinition): void {
    try {
      const begun = this.#begin(claim, agent);
      if (begun instanceof Promise) void this.#await(claim, agent, () => begun);
      else this.#takeOver(claim, agent, begun);
    } catch (error) {
      this.#recordFailedStart(claim, agent, error);
    }
  }

  #begin(claim: AttemptRef, agent: AgentDefinition): Promise<Run | null> | Run {
    const workspace = this.#options.workspaces.prepare(claim, agent);
    const request = workspace
      ? workspace.then(() => this.#options.requests.prepare(claim, agent))
      : this.#options.requests.prepare(claim, agent);
    if (!(request instanceof Promise)) return agent.driver.start(request);
    return request.then((prepared) => {
      // Nothing was started: the next Signalbox finds that out and starts it.
      if (this.#detached) return null;
      if (this.#stateOf(claim) !== 'stopping') return agent.driver.start(prepared);
      this.#end(claim, agent.id, STOPPED_BEFORE);
      return null;
    });
  }

  /** Watches the run that `begin` gives, if any. Never rejects. */
  async #await(claim: AttemptRef, agent: AgentDefinition, begin: () => Promise<Run | null>): Promise<void> {
    let run: Run | null;
    try {
      run = await begin();
    } catch (error) {
      return this.#recordFailedStart(claim, agent, error);
    }
    if (run === null) return;
    if (this.#detached) return run.detach();
    this.#takeOver(claim, agent, run);
  }

  #recordFailedStart(claim: AttemptRef, agent: AgentDefinition, error: unknown): void {
    // What a stop has interrupted is found and settled by the next Signalbox.
    if (this.#detached) return;
    if (error instanceof NotBegun) return this.#ends.recordNotBegun(claim, agent.id, error.message);
    this.#logger(claim, agent.id).warn({ err: error }, 'could not be started');
    this.#ends.recordUnstarted(claim, agent.id, messageOf(error));
  }

  /** Watches a run, and does what the state of its attempt asks for. */
  #takeOver(claim: AttemptRef, agent: AgentDefinition, run: Run): void {
    this.#watch(claim, agent, run);
    for (const answer of this.#options.answersFor(claim)) run.answer?.(answer);
    const view = attemptOf(this.#options.projections, claim);
    switch (this.#stateOf(claim)) {
      case 'requested':
        return this.#recordStart(claim, agent, run.start);
      case 'stopping':
        // A stop that is not stored yet arrives by `onStopRequested`.
        if (view?.state === 'stopping') run.stop(agent.killGraceMs);
        return;
      default:
        // Also if it waits: its question may not have been cancelled before a crash.
        if (this.#options.host.get('attempt', attemptKey(claim))?.context.verdict) this.onVerdict(claim);
        else if (this.#stateOf(claim) !== 'waiting' && view?.deadline != null)
          this.#clock.onStarted(claim, view.deadline);
    }
  }

  #recordStart(
    ref: AttemptRef,
    agent: AgentDefinition,
    start: RunStart,
    spec = taskOf(this.#options.projections, ref)?.spec,
  ): void {
    const { project, task, attempt } = ref;
    const timeoutMs = timeoutOf(spec, agent);
    this.#options.decide({
      type: 'attempt.started',
      project,
      task,
      attempt,
      agent: agent.id,
      driver: agent.driver.name,
      host: start.host,
      pid: start.pid,
      start_time: start.startTime,
      session: start.session,
      deadline_ms: Math.round(this.#options.environment.clock.now() + timeoutMs),
    });
  }

  #watch(attempt: AttemptRef, agent: AgentDefinition, run: Run): void {
    this.#runs.set(attemptKey(attempt), { run, graceMs: agent.killGraceMs });
    const silence = taskOf(this.#options.projections, attempt)?.spec.silence_timeout_seconds;
    const silenceMs = silence === undefined ? agent.silenceMs : silence * 1_000;
    this.#clock.watch(attempt, run, { silenceMs, lingerMs: agent.driver.lingerMs ?? agent.lingerMs });
    void run.resulted?.then(() => this.#clock.onVerdict(attempt));
    void run.ended.then((end) => {
      if (!this.#detached) this.#end(attempt, agent.id, end);
    });
  }

  #end(attempt: AttemptRef, agent: string, end: RunEnd): void {
    this.#runs.delete(attemptKey(attempt));
    this.#clock.forget(attempt);
    const diff = mayHaveWorked(end) ? this.#options.workspaces.takeDiff(attempt, agent) : null;
    const kept = diff
      ? withDiff(end, diff).then((each) => this.#ends.complete(attempt, each))
      : this.#ends.complete(attempt, end);
    if (!(kept instanceof Promise)) return this.#ends.record(attempt, agent, kept);
    void kept.then((each) => {
      // After a detach the next Signalbox finds its end again.
      if (!this.#detached) this.#ends.record(attempt, agent, each);
    });
  }

  #stateOf(attempt: AttemptRef): string | undefined {
    return this.#options.host.get('attempt', attemptKey(attempt))?.state;
  }

  #logger({ project, task, attempt }: AttemptRef, agent: string): Logger {
    return this.#options.logger.child({ project, task, attempt, agent });
  }
}

/** Whether what an agent has changed is part of its result. */
function mayHaveWorked({ result, failure }: RunEnd): boolean {
  return failure === undefined && result.kind !== 'threw' && (result.kind !== 'exited' || result.code === 0);
}

/** The end of a run with its diff among the outputs. Without its diff a run has failed: a reviewer would see nothing. */
function withDiff(end: RunEnd, diff: Promise<Output | null>): Promise<RunEnd> {
  return diff.then(
    (output) => (output === null ? end : { ...end, outputs: [...end.outputs, output] }),
    (error: unknown) => ({ ...end, failure: messageOf(error) }),
  );
}

const STOPPED_BEFORE = lost('it was stopped before it started');

function lost(reason: string): RunEnd {
  return { result: { kind: 'lost', reason }, outputs: [] };
}
