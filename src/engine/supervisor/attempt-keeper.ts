/**
 * Keeps the runs of open attempts: starts what was claimed, watches, stops, and records the end.
 *
 * E1 A run is started only after its claim is in the log, and at most once: after a restart a claim without a start
 *    is settled by what the driver finds, never by starting again on a guess. What is to be stopped is not started.
 * E2 Every open attempt ends: by its own process, its deadline, a stop, or as lost.
 */
import type { Logger } from 'pino';
import type { Projections, TaskView } from '../../../projections/index.ts';
import type { Environment } from '../../base/environment.ts';
import { messageOf, unreachable } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import type { StopReason } from '../../contracts/tasks.ts';
import type { Adoption, Run, RunEnd, RunStart } from '../../drivers/driver.ts';
import type { TreeEntry } from '../../process/runner.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';
import type { AgentDefinition, AgentRoster } from './agent-roster.ts';
import { type AttemptAddress, attemptKey } from './attempt-address.ts';
import { AttemptClock } from './attempt-clock.ts';
import { ACTIVE_STATES, type AttemptEnds } from './attempt-ends.ts';
import { type RunOrders, timeoutOf } from './run-orders.ts';

export interface AttemptKeeperOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly roster: AgentRoster;
  readonly timers: TimerQueue;
  readonly environment: Environment;
  readonly orders: RunOrders;
  readonly logger: Logger;
  readonly ends: AttemptEnds;
  readonly decide: (event: DomainEvent) => void;
}

export class AttemptKeeper {
  readonly #options: AttemptKeeperOptions;
  readonly #clock: AttemptClock;
  readonly #ends: AttemptEnds;
  readonly #runs = new Map<string, { readonly run: Run; readonly graceMs: number }>();
  #detached = false;

  constructor(options: AttemptKeeperOptions) {
    this.#options = options;
    this.#ends = options.ends;
    this.#clock = new AttemptClock({
      timers: options.timers,
      clock: options.environment.clock,
      stateOf: (attempt) => this.#stateOf(attempt),
      requestStop: (attempt, reason) => this.requestStop(attempt, reason),
      decide: options.decide,
    });
  }

  /** Runs that are watched now. */
  get size(): number {
    return this.#runs.size;
  }

  /** Follows a stored claim: this is the effect that it asked for. */
  start(claim: EventOf<'task.claimed'>): void {
    const agent = this.#options.roster.get(claim.agent);
    if (!agent)
      return this.#ends.recordUnstarted(claim, claim.agent, `agent ${claim.agent} is not configured`);
    // The stop was decided while the claim was on its way into the log.
    if (this.#stateOf(claim) === 'stopping') return this.#end(claim, agent.id, STOPPED_BEFORE);
    void this.#launch(claim, agent);
  }

  /** Settles an attempt that was open when this process began. */
  async resume(claim: AttemptAddress & { readonly agent: string }): Promise<void> {
    const configured = this.#options.roster.get(claim.agent);
    const gone = lost(`agent ${claim.agent} is not configured any more`);
    const agent = configured ?? this.#standInFor(claim.agent);
    if (!agent) return this.#end(claim, claim.agent, gone);
    this.#stopIfUnwanted(claim);
    const adoption = await agent.driver.adopt(this.#options.orders.orderOf(claim, agent)).catch(
      (error: unknown): Adoption => ({
        kind: 'ended',
        start: null,
        end: lost(`it could not be looked for: ${messageOf(error)}`),
      }),
    );
    if (this.#detached) {
      if (adoption.kind === 'running') adoption.run.detach();
      return;
    }
    const logger = this.#logger(claim, agent.id);
    switch (adoption.kind) {
      case 'running':
        logger.info({ pid: adoption.run.start.pid }, 'adopted');
        return this.#takeOver(claim, agent, adoption.run);
      case 'ended':
        logger.info({ result: adoption.end.result }, 'ended while nobody watched');
        if (this.#stateOf(claim) === 'requested' && adoption.start) {
          this.#recordStart(claim, agent, adoption.start);
        }
        return this.#end(claim, agent.id, adoption.end);
      case 'never_started':
        if (this.#stateOf(claim) === 'stopping') return this.#end(claim, agent.id, STOPPED_BEFORE);
        if (this.#stateOf(claim) !== 'requested')
          return this.#end(claim, agent.id, lost('its start is in the log, and no trace of it is left'));
        return configured ? this.#launch(claim, agent) : this.#end(claim, agent.id, gone);
      default:
        return unreachable(adoption, 'resume');
    }
  }

  /** Follows a stored `attempt.started`. */
  onStarted(event: EventOf<'attempt.started'>): void {
    this.#clock.onStarted(event, event.deadline_ms);
  }

  /** The agent gave a sign of life. One that was suspected is trusted again. */
  noteSign(attempt: AttemptAddress, evidence: string): void {
    this.#clock.noteSign(attempt, evidence);
  }

  /** The living processes of an open attempt; null where it has none to show. */
  async treeOf(attempt: AttemptAddress): Promise<readonly TreeEntry[] | null> {
    return (await this.#runs.get(attemptKey(attempt))?.run.tree?.()) ?? null;
  }

  /** Follows a stored `attempt.stop_requested`. A run that is just being started is stopped once it is there. */
  onStopRequested(event: EventOf<'attempt.stop_requested'>): void {
    const watched = this.#runs.get(attemptKey(event));
    if (watched) return watched.run.stop(watched.graceMs);
    const agent = this.#options.host.get('attempt', attemptKey(event))?.context.agent ?? '';
    this.#options.roster.get(agent)?.driver.withdraw?.(event);
  }

  /** Follows a stored word by which the agent says that it is through. */
  onVerdict(attempt: AttemptAddress): void {
    this.#clock.onVerdict(attempt);
  }

  /** Decides to stop an open attempt; does nothing where it is stopping or over. */
  requestStop(address: AttemptAddress, reason: StopReason): void {
    const state = this.#stateOf(address);
    if (state === undefined || state === 'stopping') return;
    const { project, task, attempt } = address;
    this.#options.decide({ type: 'attempt.stop_requested', project, task, attempt, reason });
  }

  /** Stops watching: every process is left as it is, to be adopted by the next Signalbox. */
  detach(): void {
    this.#detached = true;
    for (const { run } of this.#runs.values()) run.detach();
    this.#runs.clear();
    this.#clock.clear();
  }

  /** The task left its attempt behind, not by the agent's own word: the stop may have been lost in a crash. */
  #stopIfUnwanted(attempt: AttemptAddress): void {
    const { host } = this.#options;
    const state = host.get('task', `${attempt.project}/${attempt.task}`)?.state ?? '';
    const verdict = host.get('attempt', attemptKey(attempt))?.context.verdict ?? null;
    if (state === 'cancelled') this.requestStop(attempt, 'cancelled');
    else if (verdict === null && !ACTIVE_STATES.has(state)) this.requestStop(attempt, 'operator');
  }

  /** Any agent of the same driver can look after what an agent runs that is not configured any more. */
  #standInFor(id: string): AgentDefinition | undefined {
    const driver = this.#options.projections.agents.byId.get(id)?.driver;
    for (const agent of this.#options.roster.all()) if (agent.driver.name === driver) return { ...agent, id };
    return undefined;
  }

  async #launch(claim: AttemptAddress, agent: AgentDefinition): Promise<void> {
    let run: Run;
    try {
      const order = this.#options.orders.prepare(claim, agent);
      if (order instanceof Promise) {
        const prepared = await order;
        // Nothing was started: the next Signalbox finds that, and does it.
        if (this.#detached) return;
        if (this.#stateOf(claim) === 'stopping') return this.#end(claim, agent.id, STOPPED_BEFORE);
        run = await agent.driver.start(prepared);
      } else run = await agent.driver.start(order);
    } catch (error) {
      this.#logger(claim, agent.id).warn({ err: error }, 'could not be started');
      return this.#ends.recordUnstarted(claim, agent.id, messageOf(error));
    }
    if (this.#detached) return run.detach();
    this.#takeOver(claim, agent, run);
  }

  /** Watches a run that is there, and does what its attempt's state asks for. */
  #takeOver(claim: AttemptAddress, agent: AgentDefinition, run: Run): void {
    this.#watch(claim, agent, run);
    const state = this.#stateOf(claim);
    if (state === 'requested') this.#recordStart(claim, agent, run.start);
    else if (state === 'stopping') this.#stopIfRecorded(claim, agent, run);
    else this.#resumeClock(claim);
  }

  /** A stop that is decided and not stored yet comes by `onStopRequested`, when it is. */
  #stopIfRecorded(claim: AttemptAddress, agent: AgentDefinition, run: Run): void {
    const history = this.#options.projections.attempts.byTask.get(`${claim.project}/${claim.task}`);
    if (history?.[claim.attempt - 1]?.state === 'stopping') run.stop(agent.killGraceMs);
  }

  #resumeClock(attempt: AttemptAddress): void {
    const history = this.#options.projections.attempts.byTask.get(`${attempt.project}/${attempt.task}`);
    const deadline = history?.[attempt.attempt - 1]?.deadline ?? null;
    if (this.#options.host.get('attempt', attemptKey(attempt))?.context.verdict) this.onVerdict(attempt);
    else if (deadline !== null) this.#clock.onStarted(attempt, deadline);
  }

  #recordStart({ project, task, attempt }: AttemptAddress, agent: AgentDefinition, start: RunStart): void {
    const timeoutMs = timeoutOf(this.#viewOf(project, task)?.spec, agent);
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

  #watch(attempt: AttemptAddress, agent: AgentDefinition, run: Run): void {
    this.#runs.set(attemptKey(attempt), { run, graceMs: agent.killGraceMs });
    const silence = this.#viewOf(attempt.project, attempt.task)?.spec.silence_timeout_seconds;
    const silenceMs = silence === undefined ? agent.silenceMs : silence * 1_000;
    this.#clock.watch(attempt, run, { silenceMs, lingerMs: agent.driver.lingerMs ?? agent.lingerMs });
    void run.resulted?.then(() => this.#clock.onVerdict(attempt));
    void run.ended.then((end) => {
      if (!this.#detached) this.#end(attempt, agent.id, end);
    });
  }

  #end(attempt: AttemptAddress, agent: string, end: RunEnd): void {
    this.#runs.delete(attemptKey(attempt));
    this.#clock.forget(attempt);
    this.#ends.record(attempt, agent, end);
  }

  /** Epoch milliseconds of the next attempt; null where none is left, or the task has left this one behind already. */
  retryAt(project: string, task: string): number | null {
    return this.#ends.retryAt(project, task);
  }

  #viewOf(project: string, task: string): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(`${project}/${task}`);
  }

  #stateOf(attempt: AttemptAddress): string | undefined {
    return this.#options.host.get('attempt', attemptKey(attempt))?.state;
  }

  #logger({ project, task, attempt }: AttemptAddress, agent: string): Logger {
    return this.#options.logger.child({ project, task, attempt, agent });
  }
}

const STOPPED_BEFORE = lost('it was to be stopped before it had started');

function lost(reason: string): RunEnd {
  return { result: { kind: 'lost', reason }, outputs: [] };
}
