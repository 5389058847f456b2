/**
 * The supervisor: decides what has to happen next. Long because
 * it says for every event what follows from it.
 *
 * Invariant supervision/acts-on-stored-records: it acts only on stored records, and everything it does is again an event.
 * What must happen next follows from the state alone, so that the same happens after a restart. What follows at once from an
 * event without an effect is decided with it, and stored in the same message.
 */
import type { TaskView } from '../../../projections/index.ts';
import { type ErrorCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent, EventOf, EventType, StoredRecord } from '../../contracts/events/events.ts';
import { withChanges } from '../../contracts/events/task-edits.ts';
import { type AttemptRef, parseAttemptKey, type TaskRef, taskKey } from '../../contracts/ids.ts';
import type { Prices } from '../../contracts/prices.ts';
import type { StopReason, TaskSpec } from '../../contracts/tasks.ts';
import type { Workspaces } from '../../workspaces/workspaces.ts';
import type { Archive } from '../runtime/archive.ts';
import type { CommitPipeline, Origin } from '../runtime/commit-pipeline.ts';
import { TimerQueue } from '../runtime/timer-queue.ts';
import { attemptsOf, isAuxiliary, refOf, taskOf } from '../runtime/views.ts';
import { type AgentDefinition, queueOf, registerAgents } from './agent-roster.ts';
import { AttemptEnds, type LargeContent, type OutputAtEnd } from './attempt-ends.ts';
import { AttemptKeeper } from './attempt-keeper.ts';
import { Breaker } from './breaker.ts';
import { Dispatcher } from './dispatcher.ts';
import { fitEvent } from './fit-event.ts';
import type { PromptBuilders } from './prompts/prompt-facts.ts';
import { QuestionKeeper } from './questions/question-keeper.ts';
import { ReadyTasks } from './ready-tasks.ts';
import { Relations } from './relations.ts';
import { Reviews } from './reviews.ts';
import { RunRequests } from './run-requests.ts';
import { isScheduleEvent, ScheduleKeeper } from './schedules/schedule-keeper.ts';
import { givenUpSession } from './sessions.ts';
import { SteeringKeeper } from './steering.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { settledBy, TaskKeeper } from './task-keeper.ts';
import type { AttemptTokens } from './tokens.ts';
import { BudgetKeeper } from './usage/budget-keeper.ts';
import { exhaustedBudget } from './usage/task-budgets.ts';
import { WorkspaceKeeper } from './workspaces/workspace-keeper.ts';

export interface SupervisorOptions extends Omit<SupervisorContext, 'timers' | 'decide' | 'together'> {
  readonly pipeline: CommitPipeline;
  readonly archive: Archive;
  readonly tokens: AttemptTokens;
  readonly attemptsDirectory: string;
  /** Attempts that may be open at the same time, of all agents together. */
  readonly concurrency: number;
  /** The same for each project. */
  readonly projectConcurrency: number;
  readonly url: () => string | null;
  readonly prompts: PromptBuilders;
  readonly prices: Prices;
  readonly largeContent?: LargeContent | undefined;
  readonly outputAtEnd?: OutputAtEnd | undefined;
  /** Makes workspaces; null if no agent has them. */
  readonly workspaces: Workspaces | null;
}

const ACTOR = 'supervisor';
/** Events that are never cut. */
const WHOLE: ReadonlySet<EventType> = new Set(['task.output_added', 'task.created']);
/** Refusals after which nothing is recorded any more. */
const OVER: ReadonlySet<ErrorCode> = new Set(['log_fenced', 'log_corrupt', 'shutting_down']);

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #timers: TimerQueue;
  readonly #dispatcher: Dispatcher;
  readonly #relations: Relations;
  readonly #reviews: Reviews;
  readonly #breaker: Breaker;
  readonly #tasks: TaskKeeper;
  readonly #schedules: ScheduleKeeper;
  /** The task whose creation is being decided: the blackboard does not have it yet. */
  #created: EventOf<'task.created'> | null = null;
  readonly attempts: AttemptKeeper;
  readonly budgets: BudgetKeeper;
  readonly questions: QuestionKeeper;
  readonly workspaces: WorkspaceKeeper;
  readonly steering: SteeringKeeper;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#timers = new TimerQueue(options.environment.clock);
    const context = {
      ...options,
      timers: this.#timers,
      decide: (event: DomainEvent, actor?: string, cause?: string) => this.decide(event, actor, cause),
      together: <Result>(decideAll: () => Result): Result => options.pipeline.together(decideAll),
    };
    this.budgets = new BudgetKeeper({ ...context, onFreed: () => this.#dispatcher.offerAll() });
    this.#dispatcher = new Dispatcher({
      ...context,
      budgets: this.budgets,
      ready: new ReadyTasks(),
      claim: (key, agent, attempt) => this.#claim(key, agent, attempt),
    });
    this.#breaker = new Breaker(context);
    this.#relations = new Relations(context);
    this.#reviews = new Reviews({ ...context, relations: this.#relations });
    this.#schedules = new ScheduleKeeper(context);
    this.#tasks = new TaskKeeper({
      ...context,
      relations: this.#relations,
      reviews: this.#reviews,
      dispatcher: this.#dispatcher,
      answerOf: (task) => this.questions.agents.takeUpTask(task),
    });
    this.workspaces = new WorkspaceKeeper(context);
    this.attempts = new AttemptKeeper({
      ...context,
      workspaces: this.workspaces,
      requests: new RunRequests({
        ...context,
        onPrompt: (attempt) => this.steering.inPrompt(attempt),
        ask: (attempt, { id, ...spec }) => this.questions.askFor(attempt, id, spec),
        withdraw: (attempt, question) => this.questions.withdraw(attempt, question),
      }),
      ends: new AttemptEnds({
        ...context,
        onQuota: (agent, sign) => this.#breaker.onQuota(agent, sign),
        cancelQuestions: (attempt, reason) => this.questions.cancelOpen(attempt, reason),
      }),
      answersFor: (attempt) => this.questions.answersFor(attempt),
    });
    this.steering = new SteeringKeeper({ ...context, attempts: this.attempts });
    this.questions = new QuestionKeeper({ ...context, attempts: this.attempts });
  }

  /**
   * Resumes the attempts that are open in the log, and starts dispatching. Call it once, after the log was taken over.
   * @returns when the attempts are resumed that this machine alone decides about; starts and services are not waited for
   */
  async start(): Promise<void> {
    const { host, roster, projections } = this.#options;
    const { tasks } = projections.blackboard;
    registerAgents(host, projections, roster, (event) => this.decide(event));
    for (const task of [...tasks.values()]) this.#tasks.takeUp(task);
    for (const agent of host.ids('agent')) this.#breaker.takeUp(agent);
    await Promise.all([...host.ids('attempt')].map((key) => this.#resume(key)));
    this.questions.takeUpAll();
    for (const key of host.ids('attempt')) this.steering.takeUp(parseAttemptKey(key));
    this.workspaces.takeUpAll();
    this.budgets.enable();
    this.#dispatcher.enable();
    this.#schedules.enable();
  }

  /** Takes over the agents of a changed configuration: registers and retires them, and offers them what waits. */
  replaceAgents(agents: Iterable<AgentDefinition>): void {
    const { host, roster, projections } = this.#options;
    roster.replace(agents);
    registerAgents(host, projections, roster, (event) => this.decide(event));
    this.#dispatcher.offerAll();
  }

  /** Stops dispatching; open attempts go on. */
  drain(): void {
    this.#schedules.disable();
    this.#dispatcher.disable();
  }

  /** Clears all timers and leaves every process running. */
  detach(): void {
    this.#schedules.disable();
    this.#dispatcher.disable();
    this.#timers.clear();
    this.workspaces.detach();
    this.attempts.detach();
  }

  /** Ends every open attempt. */
  stopAll(): void {
    for (const key of [...this.#options.host.ids('attempt')]) {
      this.attempts.requestStop(parseAttemptKey(key), 'shutdown');
    }
  }

  /** The children that have to settle before the task can be approved. */
  awaitedChildren(task: TaskView): readonly TaskView[] {
    return this.#relations.awaitedChildren(task);
  }

  /** The review by an agent of the newest attempt of this task; undefined if there is none. */
  reviewOf(task: TaskView): TaskView | undefined {
    return this.#reviews.reviewOf(task);
  }

  /** As `SupervisorContext.decide`. */
  decide(event: DomainEvent, actor: string = ACTOR, cause?: string): SignalboxError | null {
    try {
      this.#decideFitting(event, cause === undefined ? { actor } : { actor, cause });
      return null;
    } catch (thrown) {
      const refusal =
        thrown instanceof SignalboxError
          ? thrown
          : new SignalboxError('internal', messageOf(thrown), { cause: thrown });
      if (!OVER.has(refusal.code))
        this.#options.logger.warn({ err: refusal, event: event.type }, 'a decision was refused');
      return refusal;
    }
  }

  /** Cuts texts of an event that is too large. For an output and a new task, the one who decides it knows better. */
  #decideFitting(event: DomainEvent, origin: Origin): void {
    const { pipeline, logger } = this.#options;
    try {
      pipeline.decide(event, origin);
    } catch (error) {
      const isTooLarge = error instanceof SignalboxError && error.code === 'body_too_large';
      if (!isTooLarge || WHOLE.has(event.type)) throw error;
      logger.warn(
        { event: event.type, reason: error.message },
        'cutting the texts of an event that is too large',
      );
      pipeline.decide(fitEvent(event, pipeline.maxEventBytes), origin);
    }
  }

  /**
   * Decides what follows at once from an event that was decided: both are stored together. Never throws: the event was
   * decided.
   */
  onDecided(event: DomainEvent): void {
    if (!('task' in event)) return;
    try {
      switch (event.type) {
        case 'task.created':
          this.#created = event;
          this.#claimNew(event);
          break;
        case 'task.claimed':
          this.attempts.recordStartOf(event, this.#specOf(event));
          break;
        case 'attempt.ended':
          this.#tasks.approveEnded(event, this.#view(event));
          break;
        default:
      }
      this.#noteArrival(event);
    } catch (error) {
      this.#options.logger.error({ err: error, event: event.type }, messageOf(error));
    } finally {
      if (event.type === 'task.created') this.#created = null;
    }
  }

  /** Claims a new task if an agent is free and nothing waits before it. */
  #claimNew(event: EventOf<'task.created'>): void {
    const { host, environment } = this.#options;
    const { project, spec } = event;
    const key = taskKey(event);
    const isExpiring = spec.expires_at_ms !== undefined && spec.expires_at_ms <= environment.clock.now();
    // Budgets are counted on the blackboard, which does not have the task yet.
    const mayWait = spec.parent !== undefined || spec.budget !== undefined || isExpiring;
    if (mayWait || host.get('task', key)?.state !== 'pending') return;
    const agent = this.#dispatcher.takerOfNew(project, queueOf(spec));
    if (agent === undefined) return;
    this.#decideClaim({ project, task: event.task }, agent, 1);
  }

  #noteArrival(event: Extract<DomainEvent, TaskRef>): void {
    const key = taskKey(event);
    const spec = this.#specOf(event);
    if (!spec) return;
    if (event.type === 'task.edited')
      this.#dispatcher.noteArrival(key, queueOf(withChanges(spec, event.changes)));
    const task = this.#options.host.get('task', key);
    if (task?.state === 'pending' && task.context.openAttempt === null)
      this.#dispatcher.noteArrival(key, queueOf(spec));
  }

  #specOf(ref: TaskRef): TaskSpec | undefined {
    const created = this.#created;
    return created && taskKey(created) === taskKey(ref) ? created.spec : this.#view(ref)?.spec;
  }

  /** Reacts to a stored record. Never throws: a stored record can no longer be refused. */
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
    this.budgets.onRecord(record);
    this.#reactTo(event, record.left);
    this.workspaces.onEvent(event);
    if ('task' in event && hasLeftReview(record)) this.#onLeftReview(event);
    const settled = settledBy(record);
    const task = settled && this.#view(settled);
    if (task) this.#onSettled(task);
    if (record.left === 0 && 'task' in event) this.#noteStored(event);
  }

  #noteStored(event: TaskRef): void {
    const view = this.#view(event);
    if (view && this.#options.host.get('task', taskKey(event))?.version === view.version)
      this.#dispatcher.noteStored(taskKey(event));
  }

  #onSettled(task: TaskView): void {
    const { project, spec } = task;
    this.#relations.onSettled(task);
    this.#schedules.onSettled(task);
    const parent = spec.parent === undefined ? undefined : this.#view({ project, task: spec.parent });
    if (parent && !isAuxiliary(spec)) this.#reviews.takeUp(parent);
  }

  #onLeftReview(event: TaskRef): void {
    const task = this.#view(event);
    if (task) this.#reviews.onLeft(task);
  }

  /** Reacts to an output: it may be the verdict of a review, or the answer to a question. */
  #onOutput(event: EventOf<'task.output_added'>): void {
    const task = this.#view(event);
    if (task?.spec.reviews !== undefined) this.#reviews.takeUpReview(task);
    if (task?.spec.answers !== undefined) this.questions.agents.takeUpTask(task);
  }

  /** @param left how many events of the same message follow */
  #reactTo(event: DomainEvent, left: number): void {
    if (isScheduleEvent(event)) return this.#schedules.onEvent(event);
    switch (event.type) {
      case 'task.claimed':
        return this.attempts.start(event);
      case 'attempt.started':
        this.attempts.onStarted(event);
        this.steering.onStarted(event);
        return this.questions.onSettled(event);
      case 'attempt.extended':
        return this.attempts.onExtended(event);
      case 'task.steered':
        return this.steering.onSteered(event);
      case 'attempt.question_asked':
        this.attempts.onWaiting(event);
        return this.questions.onAsked(event);
      case 'attempt.question_answered':
        return this.#onAnswered(event);
      case 'attempt.wait_ended':
        return this.attempts.onWaitEnded(event);
      case 'attempt.wait_resumed':
        this.attempts.onWaiting(event);
        return this.questions.onWaiting(event);
      case 'attempt.stop_requested':
        return this.attempts.onStopRequested(event);
      case 'attempt.ended':
        return this.#onEnded(event, left);
      case 'task.cancelled':
        this.#tasks.forgetTimers(taskKey(event));
        this.questions.cancelOpen(event, 'the task was cancelled');
        this.#stopOpenAttempt(event, 'cancelled');
        return event.children && this.#takeUp(event);
      case 'task.edited':
        this.#tasks.forgetTimers(taskKey(event));
        return this.#takeUp(event);
      case 'task.submitted':
        return this.#onVerdict(event);
      case 'task.failure_reported':
        this.#onVerdict(event);
        return this.#takeUp(event);
      case 'task.blocked':
        // A user who blocks a task wants its attempt to stop.
        if (event.attempt === null) {
          this.questions.cancelOpen(event, 'the task was blocked');
          return this.#stopOpenAttempt(event, 'operator');
        }
        return this.#onVerdict({ ...event, attempt: event.attempt });
      case 'task.output_added':
        return this.#onOutput(event);
      case 'task.created':
      case 'task.due':
      case 'task.dependency_met':
      case 'task.unblocked':
      case 'task.rejected':
      case 'task.redriven':
      case 'workspace.merge_failed':
        return this.#takeUp(event);
      case 'agent.parked':
        return this.#breaker.takeUp(event.agent);
      case 'agent.probed':
        this.#breaker.takeUp(event.agent);
        return this.#dispatcher.offer(event.agent);
      case 'agent.resumed':
      case 'agent.registered':
      case 'agent.connected':
      case 'agent.unparked':
        return this.#dispatcher.offer(event.agent);
      case 'queue.resumed':
        return this.#dispatcher.reopen(event.queue);
      default:
        // Nothing follows from other events.
        return;
    }
  }

  #onVerdict(attempt: AttemptRef): void {
    this.attempts.onVerdict(attempt);
    this.questions.cancelOpen(attempt, 'the agent has reported its result');
  }

  #onAnswered(event: EventOf<'attempt.question_answered'>): void {
    const { attempt, deadline_ms } = event;
    this.questions.onAnswered(event);
    const answer = this.questions.answerTo(event);
    if (attempt !== null && answer) this.attempts.onAnswered({ ...event, attempt }, answer, deadline_ms);
    else this.#takeUp(event);
  }

  #onEnded(event: EventOf<'attempt.ended'>, left: number): void {
    this.questions.onSettled(event);
    this.steering.onEnded(event);
    // First: an agent that is to be parked must not get the next task.
    this.#breaker.onEnded(event.agent, event.outcome);
    // An approval that follows says what its task needs.
    if (left === 0) this.#takeUp(event);
    this.#dispatcher.offer(event.agent);
  }

  #stopOpenAttempt({ project, task }: TaskRef, reason: StopReason): void {
    const attempt = this.#options.host.get('task', taskKey({ project, task }))?.context.openAttempt;
    if (attempt) this.attempts.requestStop({ project, task, attempt }, reason);
  }

  #claim(key: string, agent: string, attempt: number): void {
    const { projections, host, roster, environment } = this.#options;
    const view = projections.blackboard.tasks.get(key);
    if (!view) return;
    const ref = refOf(view);
    if (this.#tasks.isExpired(view)) {
      this.decide({ type: 'task.expired', ...ref });
      return;
    }
    const reason = exhaustedBudget(projections, host, view, environment.clock.now());
    if (reason !== null) {
      this.decide({ type: 'task.blocked', ...ref, attempt: null, reason });
      return;
    }
    this.#tasks.forgetTimers(key);
    const givenUp = givenUpSession(view, attemptsOf(projections, ref), roster, agent);
    this.#decideClaim(ref, agent, attempt, givenUp);
  }

  /** @param session_given_up why the agent does not go on in the session of an earlier attempt */
  #decideClaim({ project, task }: TaskRef, agent: string, attempt: number, session_given_up?: string): void {
    const { roster, tokens } = this.#options;
    const writesBack = roster.get(agent)?.driver.writesBack ?? false;
    const token_sha256 = writesBack ? tokens.hashOf({ project, task, attempt }) : undefined;
    const claimed = {
      type: 'task.claimed',
      project,
      task,
      attempt,
      agent,
      token_sha256,
      session_given_up,
    } as const;
    if (this.decide(claimed) === null) this.budgets.onClaimed({ project, task, attempt }, agent);
  }

  #takeUp(event: TaskRef): void {
    const task = this.#view(event);
    if (task) this.#tasks.takeUp(task);
  }

  #resume(key: string): Promise<void> {
    const agent = this.#options.host.get('attempt', key)?.context.agent ?? '';
    return this.attempts.resume({ ...parseAttemptKey(key), agent });
  }

  #view(ref: TaskRef): TaskView | undefined {
    return taskOf(this.#options.projections, ref);
  }
}

function hasLeftReview({ transitions }: StoredRecord): boolean {
  return transitions.some(
    ({ entity, from, to }) => entity === 'task' && from === 'review' && to !== 'review',
  );
}
