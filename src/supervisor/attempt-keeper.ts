/**
 * Keeps the runs of open attempts: starts what was claimed, watches the clock, stops, and records the end.
 *
 * E1 A run is started only after its claim is in the log, and at most once: after a restart a claim without a start
 *    is settled by what the driver finds, never by starting again on a guess.
 * E2 Every open attempt ends: by its own process, its deadline, a stop, or as lost.
 * E3 A deadline is the one in the log, also after a restart.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Projections, TaskView } from '../../projections/index.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent, EventOf } from '../contracts/events.ts';
import type { Output, StopReason } from '../contracts/tasks.ts';
import type { Run, RunEnd, RunOrder } from '../process/drivers/driver.ts';
import type { TreeEntry } from '../process/runner.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { Environment } from '../runtime/environment.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';
import type { AgentDefinition, AgentRoster } from './agent-roster.ts';
import { backoffMs } from './backoff.ts';
import { judge } from './outcome.ts';
import { buildPrompt } from './prompt.ts';
import type { AttemptTokens } from './tokens.ts';

export interface AttemptKeeperOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly roster: AgentRoster;
  readonly timers: TimerQueue;
  readonly environment: Environment;
  readonly tokens: AttemptTokens;
  readonly logger: Logger;
  readonly attemptsDirectory: string;
  /** Where agents write back to; null before the server listens, or where there is none. */
  readonly url: () => string | null;
  readonly decide: (event: DomainEvent, actor: string) => void;
}

/** States in which the end of the attempt decides where the task goes. */
const ACTIVE_STATES: ReadonlySet<string> = new Set(['claimed', 'working', 'review']);

type AttemptAddress = { readonly project: string; readonly task: string; readonly attempt: number };

export class AttemptKeeper {
  readonly #options: AttemptKeeperOptions;
  readonly #runs = new Map<string, Run>();
  /** Epoch milliseconds of the newest word or heartbeat of an attempt. */
  readonly #signs = new Map<string, number>();
  #detached = false;

  constructor(options: AttemptKeeperOptions) {
    this.#options = options;
  }

  /** Runs that are watched now. */
  get size(): number {
    return this.#runs.size;
  }

  /** Follows a stored claim: this is the effect that it asked for. */
  start(claim: EventOf<'task.claimed'>): void {
    const agent = this.#options.roster.get(claim.agent);
    if (!agent) return this.#end(claim, claim.agent, spawnFailed(`agent ${claim.agent} is not configured`));
    void this.#launch(claim, agent, () => agent.driver.start(this.#orderOf(claim, agent)));
  }

  /** Settles an attempt that was open when this process began. */
  async resume(claim: AttemptAddress & { readonly agent: string }): Promise<void> {
    const agent = this.#options.roster.get(claim.agent);
    if (!agent) return this.#end(claim, claim.agent, lost(`agent ${claim.agent} is not configured any more`));
    const order = this.#orderOf(claim, agent);
    const adoption = await agent.driver.adopt(order).catch((error: unknown) => ({
      kind: 'ended' as const,
      end: lost(`it could not be looked for: ${messageOf(error)}`),
    }));
    const logger = this.#logger(claim, agent.id);
    switch (adoption.kind) {
      case 'running':
        logger.info({ pid: adoption.run.start.pid }, 'adopted');
        this.#watch(claim, agent, adoption.run);
        if (this.#stateOf(claim) === 'requested') this.#recordStart(claim, agent, adoption.run);
        else this.#resumeDeadline(claim);
        if (this.#stateOf(claim) === 'stopping') adoption.run.stop(agent.killGraceMs);
        return;
      case 'ended':
        logger.info({ result: adoption.end.result }, 'ended while nobody watched');
        return this.#end(claim, agent.id, adoption.end);
      case 'never_started':
        return this.#launch(claim, agent, () => agent.driver.start(order));
    }
  }

  /** Follows a stored `attempt.started`. */
  onStarted(event: EventOf<'attempt.started'>): void {
    this.#setDeadline(event, event.deadline_ms);
    this.#watchSilence(event);
  }

  /** The agent gave a sign of life. One that was suspected is trusted again. */
  noteSign(attempt: AttemptAddress, evidence: string): void {
    const key = keyOf(attempt);
    if (!this.#runs.has(key)) return;
    this.#signs.set(key, this.#options.environment.clock.now());
    if (this.#stateOf(attempt) !== 'suspected') return;
    const { project, task, attempt: number } = attempt;
    this.#options.decide(
      { type: 'attempt.recovered', project, task, attempt: number, evidence },
      'supervisor',
    );
  }

  /** The living processes of an open attempt; null where it has none to show. */
  async treeOf(attempt: AttemptAddress): Promise<readonly TreeEntry[] | null> {
    return (await this.#runs.get(keyOf(attempt))?.tree?.()) ?? null;
  }

  /** Follows a stored `attempt.stop_requested`. A run that is just being started is stopped once it is there. */
  onStopRequested(event: EventOf<'attempt.stop_requested'>): void {
    const run = this.#runs.get(keyOf(event));
    run?.stop(this.#graceOf(event));
  }

  /** The agent has given its word; its process may stay for a moment, not for ever. */
  onVerdict(event: AttemptAddress): void {
    const agent = this.#agentOf(event);
    const at = this.#options.environment.clock.now() + (agent?.lingerMs ?? 0);
    this.#options.timers.set(`linger:${keyOf(event)}`, at, () => this.requestStop(event, 'lingering'));
  }

  /** Decides to stop an open attempt; does nothing where it is stopping or over. */
  requestStop(attempt: AttemptAddress, reason: StopReason): void {
    const state = this.#stateOf(attempt);
    if (state === undefined || state === 'stopping') return;
    const { project, task, attempt: number } = attempt;
    this.#options.decide(
      { type: 'attempt.stop_requested', project, task, attempt: number, reason },
      'supervisor',
    );
  }

  /** Stops watching: every process is left as it is, to be adopted by the next Signalbox. */
  detach(): void {
    this.#detached = true;
    for (const run of this.#runs.values()) run.detach();
    this.#runs.clear();
  }

  async #launch(claim: AttemptAddress, agent: AgentDefinition, start: () => Promise<Run>): Promise<void> {
    let run: Run;
    try {
      run = await start();
    } catch (error) {
      this.#logger(claim, agent.id).warn({ err: error }, 'could not be started');
      return this.#end(claim, agent.id, spawnFailed(messageOf(error)));
    }
    if (this.#detached) return run.detach();
    this.#watch(claim, agent, run);
    if (this.#stateOf(claim) === 'stopping') run.stop(agent.killGraceMs);
    else this.#recordStart(claim, agent, run);
  }

  #recordStart({ project, task, attempt }: AttemptAddress, agent: AgentDefinition, run: Run): void {
    const timeout = this.#viewOf(project, task)?.spec.timeout_seconds;
    const timeoutMs = timeout === undefined ? agent.timeoutMs : timeout * 1_000;
    this.#options.decide(
      {
        type: 'attempt.started',
        project,
        task,
        attempt,
        agent: agent.id,
        driver: agent.driver.name,
        host: run.start.host,
        pid: run.start.pid,
        start_time: run.start.startTime,
        deadline_ms: Math.round(this.#options.environment.clock.now() + timeoutMs),
      },
      'supervisor',
    );
  }

  #watch(attempt: AttemptAddress, agent: AgentDefinition, run: Run): void {
    this.#runs.set(keyOf(attempt), run);
    void run.ended.then((end) => {
      if (!this.#detached) this.#end(attempt, agent.id, end);
    });
  }

  #end({ project, task, attempt }: AttemptAddress, agent: string, end: RunEnd | SpawnFailure): void {
    const key = keyOf({ project, task, attempt });
    this.#runs.delete(key);
    this.#options.timers.cancel(`timeout:${key}`);
    this.#options.timers.cancel(`linger:${key}`);
    this.#options.timers.cancel(`silence:${key}`);
    this.#signs.delete(key);
    if ('spawnError' in end) {
      this.#recordEnd(
        { project, task, attempt },
        agent,
        { outcome: 'spawn_failed', error: end.spawnError },
        null,
      );
      return;
    }
    const context = this.#options.host.get('attempt', key)?.context;
    if (!context) return;
    const outputs = this.#takeOutputs({ project, task, attempt }, end.outputs);
    for (const output of outputs) {
      this.#options.decide({ type: 'task.output_added', project, task, attempt, output }, `agent:${agent}`);
    }
    const state = this.#options.host.get('task', `${project}/${task}`)?.context;
    const hasOutput = state !== undefined && (!state.outputsRequired || state.outputs > 0);
    this.#recordEnd({ project, task, attempt }, agent, judge(end.result, context, hasOutput), end);
  }

  /** What the run itself brought counts only where the agent has posted nothing in this attempt. */
  #takeOutputs({ project, task, attempt }: AttemptAddress, outputs: readonly Output[]): readonly Output[] {
    const entity = this.#options.host.get('task', `${project}/${task}`);
    if (!entity || (entity.state !== 'working' && entity.state !== 'review')) return [];
    const posted = this.#viewOf(project, task)?.outputs.some((output) => output.attempt === attempt);
    return posted ? [] : outputs;
  }

  #recordEnd(
    { project, task, attempt }: AttemptAddress,
    agent: string,
    judgement: ReturnType<typeof judge>,
    end: RunEnd | null,
  ): void {
    this.#options.decide(
      {
        type: 'attempt.ended',
        project,
        task,
        attempt,
        agent,
        outcome: judgement.outcome,
        error: judgement.error,
        exit_code: end?.result.kind === 'exited' ? end.result.code : undefined,
        signal: end?.result.kind === 'signalled' ? end.result.signal : undefined,
        stderr_tail: end?.stderrTail,
        peak_memory_bytes: end?.peakMemoryBytes,
        cpu_ms: end?.cpuMs,
        usage: end?.usage,
        evidence: end?.evidence,
        retry_at_ms: judgement.outcome === 'completed' ? null : this.retryAt(project, task),
      },
      'supervisor',
    );
  }

  /** Epoch milliseconds of the next attempt; null where none is left, or the task has left this one behind already. */
  retryAt(project: string, task: string): number | null {
    const entity = this.#options.host.get('task', `${project}/${task}`);
    const spec = this.#viewOf(project, task)?.spec;
    if (!entity || !spec || !ACTIVE_STATES.has(entity.state)) return null;
    const { context } = entity;
    if (context.attempts >= context.attemptsGranted) return null;
    const { clock, random } = this.#options.environment;
    return clock.now() + backoffMs(spec.backoff, context.attempts, random());
  }

  #setDeadline(attempt: AttemptAddress, at: number): void {
    this.#options.timers.set(`timeout:${keyOf(attempt)}`, at, () => this.requestStop(attempt, 'timeout'));
  }

  #resumeDeadline(attempt: AttemptAddress): void {
    const view = this.#options.projections.attempts.byTask.get(`${attempt.project}/${attempt.task}`);
    const deadline = view?.[attempt.attempt - 1]?.deadline;
    if (deadline !== undefined && deadline !== null) this.#setDeadline(attempt, deadline);
    if (this.#options.host.get('attempt', keyOf(attempt))?.context.verdict) this.onVerdict(attempt);
    // What happened while nobody watched is not held against it.
    this.#signs.set(keyOf(attempt), this.#options.environment.clock.now());
    this.#watchSilence(attempt);
  }

  /** Suspects it after half of the silence that it is allowed, and stops it after the whole (A3 of machines/attempt.ts). */
  #watchSilence(attempt: AttemptAddress): void {
    const key = keyOf(attempt);
    const run = this.#runs.get(key);
    const allowed = this.#silenceOf(attempt);
    if (!run || allowed === undefined) return;
    const last = Math.max(run.lastSignAt(), this.#signs.get(key) ?? 0);
    const silent = this.#options.environment.clock.now() - last;
    const state = this.#stateOf(attempt);
    if (silent >= allowed) return this.requestStop(attempt, 'silence');
    if (silent >= allowed / 2 && state === 'running') this.#suspect(attempt, silent);
    else if (silent < allowed / 2 && state === 'suspected') this.noteSign(attempt, 'output');
    const next = last + (silent >= allowed / 2 ? allowed : allowed / 2);
    this.#options.timers.set(`silence:${key}`, next, () => this.#watchSilence(attempt));
  }

  #suspect({ project, task, attempt }: AttemptAddress, silent: number): void {
    const reason = `no output and no heartbeat for ${Math.round(silent / 1_000)} s`;
    this.#options.decide({ type: 'attempt.suspected', project, task, attempt, reason }, 'supervisor');
  }

  #silenceOf(attempt: AttemptAddress): number | undefined {
    const seconds = this.#viewOf(attempt.project, attempt.task)?.spec.silence_timeout_seconds;
    return seconds === undefined ? this.#agentOf(attempt)?.silenceMs : seconds * 1_000;
  }

  #orderOf({ project, task, attempt }: AttemptAddress, agent: AgentDefinition): RunOrder {
    const view = this.#viewOf(project, task);
    if (!view)
      throw new SignalboxError('internal', `task ${project}/${task} is claimed but not on the blackboard`);
    const earlier = this.#options.projections.attempts.byTask.get(`${project}/${task}`) ?? [];
    const token = agent.driver.writesBack ? this.#options.tokens.tokenOf(project, task, attempt) : '';
    const url = agent.driver.writesBack ? this.#options.url() : null;
    const prompt = (): string =>
      buildPrompt({
        task: view,
        attempt,
        agent: agent.id,
        earlier: earlier.slice(0, attempt - 1),
        url,
        token,
        language: agent.promptLanguage,
      });
    return {
      project,
      task,
      attempt,
      agent: agent.id,
      spec: view.spec,
      token,
      directory: join(this.#options.attemptsDirectory, project, task, String(attempt)),
      prompt,
    };
  }

  #viewOf(project: string, task: string): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(`${project}/${task}`);
  }

  #stateOf(attempt: AttemptAddress): string | undefined {
    return this.#options.host.get('attempt', keyOf(attempt))?.state;
  }

  #agentOf({ project, task }: AttemptAddress): AgentDefinition | undefined {
    return this.#options.roster.get(this.#viewOf(project, task)?.agent ?? '');
  }

  #graceOf(attempt: AttemptAddress): number {
    return this.#agentOf(attempt)?.killGraceMs ?? 0;
  }

  #logger({ project, task, attempt }: AttemptAddress, agent: string): Logger {
    return this.#options.logger.child({ project, task, attempt, agent });
  }
}

interface SpawnFailure {
  readonly spawnError: string;
}

function spawnFailed(spawnError: string): SpawnFailure {
  return { spawnError };
}

function lost(reason: string): RunEnd {
  return { result: { kind: 'lost', reason }, outputs: [] };
}

function keyOf({ project, task, attempt }: AttemptAddress): string {
  return `${project}/${task}/${attempt}`;
}
