/**
 * The supervisor: turns what was recorded into what has to happen next.
 *
 * U1 It acts on stored records only (the commit order), and everything it does is again an event.
 * U2 What must happen next follows from the state alone, so that after a restart the same things happen.
 */
import type { Logger } from 'pino';
import type { Projections, TaskView } from '../../projections/index.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent, EventOf, StoredRecord } from '../contracts/events.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { CommitPipeline } from '../runtime/commit-pipeline.ts';
import type { Environment } from '../runtime/environment.ts';
import { TimerQueue } from '../runtime/timer-queue.ts';
import type { AgentDefinition, AgentRoster } from './agent-roster.ts';
import { AttemptKeeper } from './attempt-keeper.ts';
import { Breaker } from './breaker.ts';
import { exhaustedBudget } from './budgets.ts';
import { Dispatcher } from './dispatcher.ts';
import { ReadyQueue } from './ready-queue.ts';
import { Relations } from './relations.ts';
import { settledBy } from './settled.ts';
import type { AttemptTokens } from './tokens.ts';

export interface SupervisorOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly pipeline: CommitPipeline;
  readonly roster: AgentRoster;
  readonly environment: Environment;
  readonly tokens: AttemptTokens;
  readonly logger: Logger;
  readonly attemptsDirectory: string;
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  readonly url: () => string | null;
}

const ACTOR = 'supervisor';

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #timers: TimerQueue;
  readonly #dispatcher: Dispatcher;
  readonly #relations: Relations;
  readonly #breaker: Breaker;
  readonly attempts: AttemptKeeper;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { host, projections, roster, environment, tokens, logger, attemptsDirectory, url } = options;
    this.#timers = new TimerQueue(environment.clock);
    this.#dispatcher = new Dispatcher({
      host,
      roster,
      queue: new ReadyQueue(),
      concurrency: options.concurrency,
      projectConcurrency: options.projectConcurrency,
      claim: (key, agent, attempt) => this.#claim(key, agent, attempt),
    });
    const now = (): number => environment.clock.now();
    const decide = (event: DomainEvent): void => this.decide(event);
    this.#relations = new Relations({ projections, host, now, decide });
    this.#breaker = new Breaker({
      host,
      timers: this.#timers,
      now,
      settingsOf: (agent) => roster.get(agent)?.breaker,
      decide,
    });
    this.attempts = new AttemptKeeper({
      host,
      projections,
      roster,
      timers: this.#timers,
      environment,
      tokens,
      logger,
      attemptsDirectory,
      url,
      decide: (event, actor) => this.decide(event, actor),
    });
  }

  /** Takes up what the log says is under way, then begins to claim. To be called once, after the take-over. */
  async start(): Promise<void> {
    this.#registerAgents();
    const { tasks } = this.#options.projections.blackboard;
    for (const task of tasks.values()) this.#relations.add(task);
    for (const task of [...tasks.values()]) this.#takeUp(task);
    for (const agent of this.#options.host.liveIds('agent')) this.#breaker.takeUp(agent);
    const open = [...this.#options.host.liveIds('attempt')].map((key) => this.#resume(key));
    await Promise.all(open);
    this.#dispatcher.enable();
  }

  /** No new claims; what runs goes on. */
  drain(): void {
    this.#dispatcher.disable();
  }

  /** Forgets timers and leaves every process as it is. */
  detach(): void {
    this.#dispatcher.disable();
    this.#timers.clear();
    this.attempts.detach();
  }

  /** Ends every open attempt. */
  stopAll(): void {
    for (const key of [...this.#options.host.liveIds('attempt')]) {
      this.attempts.requestStop(addressOf(key), 'shutdown');
    }
  }

  /** The children that have to settle before the task can be approved. */
  awaitedChildren(task: TaskView): readonly TaskView[] {
    return this.#relations.awaitedChildren(task);
  }

  /** Decides on the supervisor's own account. A refusal means that things moved on meanwhile; it is logged. */
  decide(event: DomainEvent, actor: string = ACTOR): void {
    try {
      this.#options.pipeline.decide(event, { actor });
    } catch (error) {
      if (error instanceof SignalboxError && error.code === 'log_fenced') return;
      this.#options.logger.warn({ err: error, event: event.type }, 'a decision came too late');
    }
  }

  /** Acts on a stored record. Never throws: a record that is stored cannot be refused any more. */
  onCommitted(record: StoredRecord): void {
    try {
      this.#react(record);
    } catch (error) {
      this.#options.logger.error(
        { err: error, sequence: record.sequence },
        `reacting to a record failed: ${messageOf(error)}`,
      );
    }
  }

  #react(record: StoredRecord): void {
    const { event } = record;
    if ('attempt' in event && event.attempt !== null && event.type.startsWith('task.')) {
      this.attempts.noteSign({ ...event, attempt: event.attempt }, event.type);
    }
    this.#reactTo(event);
    const settled = settledBy(record);
    const task = settled && this.#view(settled);
    if (task) this.#relations.onSettled(task);
  }

  #reactTo(event: DomainEvent): void {
    switch (event.type) {
      case 'task.claimed':
        return this.attempts.start(event);
      case 'attempt.started':
        return this.attempts.onStarted(event);
      case 'attempt.stop_requested':
        return this.attempts.onStopRequested(event);
      case 'attempt.ended':
        return this.#onEnded(event);
      case 'task.cancelled':
        return this.#onCancelled(event);
      case 'task.submitted':
        return this.attempts.onVerdict(event);
      case 'task.failure_reported':
        this.attempts.onVerdict(event);
        return this.#takeUp(this.#view(event));
      case 'task.blocked':
        if (event.attempt !== null) this.attempts.onVerdict({ ...event, attempt: event.attempt });
        return;
      case 'task.created':
        return this.#onCreated(this.#view(event));
      case 'task.due':
      case 'task.dependency_met':
      case 'task.unblocked':
      case 'task.rejected':
      case 'task.redriven':
        return this.#takeUp(this.#view(event));
      case 'agent.parked':
        return this.#breaker.takeUp(event.agent);
      case 'agent.resumed':
      case 'agent.registered':
      case 'agent.probed':
      case 'agent.unparked':
        return this.#dispatcher.offer(event.agent);
      default:
        // Every other event is information: nothing follows from it.
        return;
    }
  }

  #onCreated(task: TaskView | undefined): void {
    if (!task) return;
    this.#relations.add(task);
    this.#takeUp(task);
  }

  #onEnded(event: EventOf<'attempt.ended'>): void {
    this.#takeUp(this.#view(event));
    this.#breaker.onEnded(event.agent);
    this.#dispatcher.offer(event.agent);
  }

  #onCancelled(event: EventOf<'task.cancelled'>): void {
    const { project, task } = event;
    this.#timers.cancel(`due:${project}/${task}`);
    this.#timers.cancel(`expire:${project}/${task}`);
    const attempt = this.#options.host.get('task', `${project}/${task}`)?.context.openAttempt;
    if (attempt) this.attempts.requestStop({ project, task, attempt }, 'cancelled');
  }

  /** What a task in this state needs: a place in the queue, a timer, an approval, or nothing. */
  #takeUp(task: TaskView | undefined): void {
    if (!task) return;
    const { project, id, spec } = task;
    const key = `${project}/${id}`;
    const address = { project, task: id };
    if (
      task.attempts === 0 &&
      spec.expires_at_ms !== undefined &&
      (task.state === 'pending' || task.state === 'scheduled')
    ) {
      this.#timers.set(`expire:${key}`, spec.expires_at_ms, () => this.#expire(key, address));
    }
    if (task.state === 'pending' && task.openAttempt === null) {
      this.#dispatcher.add(project, key, spec, task.createdSequence);
    } else if (task.state === 'scheduled') {
      if (task.dueAt !== null) {
        this.#timers.set(`due:${key}`, task.dueAt, () => this.decide({ type: 'task.due', ...address }));
      }
      this.#relations.takeUp(task);
    } else if (task.state === 'review' && spec.review === 'auto' && task.openAttempt === null) {
      if (this.#relations.isJoined(task)) this.decide({ type: 'task.approved', ...address });
    } else if (task.state === 'done') this.#relations.onSettled(task);
  }

  #expire(key: string, address: { project: string; task: string }): void {
    const task = this.#options.host.get('task', key);
    if (task?.context.attempts === 0 && (task.state === 'pending' || task.state === 'scheduled')) {
      this.decide({ type: 'task.expired', ...address });
    }
  }

  #claim(key: string, agent: string, attempt: number): void {
    const [project = '', task = ''] = key.split('/');
    const { projections, environment } = this.#options;
    const view = projections.blackboard.tasks.get(key);
    const reason = view ? exhaustedBudget(projections, view, environment.clock.now()) : null;
    if (reason !== null) return this.decide({ type: 'task.blocked', project, task, attempt: null, reason });
    const writesBack = this.#options.roster.get(agent)?.driver.writesBack ?? false;
    this.#timers.cancel(`expire:${key}`);
    this.decide({
      type: 'task.claimed',
      project,
      task,
      attempt,
      agent,
      token_sha256: writesBack ? this.#options.tokens.hashOf(project, task, attempt) : undefined,
    });
  }

  #resume(key: string): Promise<void> {
    const address = addressOf(key);
    const history = this.#options.projections.attempts.byTask.get(`${address.project}/${address.task}`);
    const agent = history?.[address.attempt - 1]?.agent ?? '';
    return this.attempts.resume({ ...address, agent });
  }

  #registerAgents(): void {
    const { host, roster } = this.#options;
    for (const agent of roster.all()) {
      const known = host.get('agent', agent.id);
      if (!known || known.state === 'offline' || known.context.concurrency !== agent.concurrency) {
        this.decide(registration(agent));
      }
    }
    for (const id of [...host.liveIds('agent')]) {
      if (roster.get(id) || host.get('agent', id)?.state === 'offline') continue;
      this.decide({ type: 'agent.retired', agent: id, reason: 'it is not in the configuration any more' });
    }
  }

  #view(event: { readonly project: string; readonly task: string }): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(`${event.project}/${event.task}`);
  }
}

function registration(agent: AgentDefinition): EventOf<'agent.registered'> {
  return {
    type: 'agent.registered',
    agent: agent.id,
    driver: agent.driver.name,
    capabilities: [...agent.capabilities],
    concurrency: agent.concurrency,
  };
}

function addressOf(key: string): { project: string; task: string; attempt: number } {
  const [project = '', task = '', attempt = ''] = key.split('/');
  return { project, task, attempt: Number(attempt) };
}
