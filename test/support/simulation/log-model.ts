/**
 * A model of what the log must show, which shares no code with the machines. Long because its rules are read together:
 *
 * - Every transition of an entity starts from the state of the one before, and versions have no gap.
 * - A task has at most one open attempt; attempts are numbered without a gap, and those that count never exceed the granted number.
 * - An attempt starts at most once and ends once, and its messages count only while it is open.
 * - A done or cancelled task never changes; a failed or expired one only by a redrive.
 * - Slots of agents and limits of concurrency, of all and of each project, are kept.
 * - Nothing is early: no retry before its time, no claim before `not_before` or the end of its dependencies, and none after
 *   `expires_at`.
 * - Nothing is stopped for silence without having been suspected before.
 * - No claim exceeds a budget of attempts.
 * - A task does not fail because of a completed attempt.
 * - A task that joins its children is approved automatically only when they and their follow-ups are done.
 * - The attempt of a task that a user has cancelled or blocked is stopped, also after a restart.
 * - An edit says what the task was before, and changes nothing but the priority while an attempt is open or a result waits.
 * - Nothing is claimed from a paused queue, or of a budget that is used up; a task that is claimed with its creation overtakes none of its queue.
 * - Each time of a schedule is decided once, and a task of a schedule was decided before.
 * - A question is asked once and answered once, and no attempt leaves one open, unless it was parked.
 * - A workspace is removed only if its work was merged, or by name; a task that is merged first is done when it is merged.
 * - Nothing is stopped for its time or its silence while it waits for an answer, or before the end of what a user has given it;
 *   what waits has an open question.
 * - What is below a task that was cancelled with its children ends.
 *
 * Long because it is one model.
 */
import type { EngineLimits } from '../../../src/app/engine/engine-options.ts';
import { canonicalJson } from '../../../src/base/canonical-json.ts';
import type { BudgetSpec } from '../../../src/contracts/budgets/budgets.ts';
import type { DomainEvent, EventOf, StoredRecord } from '../../../src/contracts/events/events.ts';
import { attemptKey, taskKey } from '../../../src/contracts/ids.ts';
import { SETTLED_STATES } from '../../../src/contracts/tasks.ts';
import {
  type AttemptModel,
  expect,
  newAttempt,
  newTask,
  queueOf,
  type TaskModel,
  Violation,
} from './log-entities.ts';

export class LogModel {
  readonly tasks = new Map<string, TaskModel>();
  readonly attempts = new Map<string, AttemptModel>();
  /** Tasks that schedules have decided to create, by key. */
  readonly fired = new Set<string>();
  /** Times that schedules have decided about. */
  readonly #times = new Set<string>();
  readonly #projectOf = new Map<string, string>();
  /** Budgets that are used up. */
  readonly #exhausted = new Set<string>();
  readonly #budgets = new Map<string, BudgetSpec>();
  /** State and version of every entity, by kind and id. */
  readonly #entities = new Map<string, { state: string; version: number }>();
  readonly #running = new Map<string, number>();
  readonly #concurrency = new Map<string, number>();
  readonly #limits: EngineLimits;
  #isDraining = false;
  #epoch = 0;
  open = 0;

  constructor(limits: EngineLimits) {
    this.#limits = limits;
  }

  /** Attempts of an agent that are open. */
  running(agent: string): number {
    return this.#running.get(agent) ?? 0;
  }

  stateOf(entity: 'task' | 'attempt' | 'agent' | 'queue', id: string): string | undefined {
    return this.#entities.get(`${entity} ${id}`)?.state;
  }

  /** The task above a task that was cancelled with its children; null if there is none. */
  cancelledAbove(task: TaskModel): string | null {
    const above = this.#parentOf(task);
    return above === undefined ? null : above.cancelsChildren ? above.id : this.cancelledAbove(above);
  }

  /** @throws Violation */
  apply(record: StoredRecord): void {
    try {
      this.#check(record);
      this.#transit(record);
      this.#follow(record);
    } catch (error) {
      if (error instanceof Violation)
        error.message = `event ${record.sequence} (${record.event.type}): ${error.message}`;
      throw error;
    }
  }

  /** Before the event: was it allowed? */
  #check({ sequence, event, transitions, time, actor }: StoredRecord): void {
    if ('task' in event && event.type !== 'task.created') {
      const task = this.#task(event);
      const to = transitions.find(({ entity }) => entity === 'task')?.to ?? task.state;
      const isFinal = task.state === 'done' || task.state === 'cancelled';
      expect(!isFinal || to === task.state, `task ${task.id} was ${task.state} and became ${to}`);
      const isSettled = SETTLED_STATES.has(task.state);
      expect(!isSettled || to === task.state || event.type === 'task.redriven', `it left ${task.state}`);
    }
    switch (event.type) {
      case 'task.created':
        expect(
          event.spec.schedule === undefined || this.fired.has(taskKey(event)),
          'no schedule has decided it',
        );
        return expect(!this.tasks.has(taskKey(event)), 'it was created before');
      case 'schedule.fired':
      case 'schedule.skipped':
        return this.#checkTime(event);
      case 'task.claimed':
        this.#checkBudgets(event);
        return this.#checkClaim(event, time, sequence);
      case 'task.due': {
        const { dueAt } = this.#task(event);
        return expect(dueAt !== null && time >= dueAt, `it is due at ${dueAt}, not at ${time}`);
      }
      case 'task.expired':
        expect(!this.#task(event).redriven, 'it was given another chance');
        return expect(time >= (this.#task(event).spec.expires_at_ms ?? Infinity), 'it expired too early');
      case 'task.dependency_met': {
        const state = this.tasks.get(taskKey({ project: event.project, task: event.dependency }))?.state;
        return expect(state === 'done', `it waits for ${event.dependency}, which is ${state}`);
      }
      case 'attempt.ended': {
        const moved = transitions.find(({ entity }) => entity === 'task');
        const isLost = event.outcome === 'completed' && moved?.from !== 'failed' && moved?.to === 'failed';
        expect(!isLost, 'it completed, and its task failed');
        const { stopping, unwantedSince } = this.#openAttempt(event);
        const isForgotten = !stopping && unwantedSince !== null && unwantedSince < this.#epoch;
        return expect(!isForgotten, 'it was to be stopped, and a restart forgot it');
      }
      case 'task.edited':
        return this.#checkEdit(event);
      case 'task.approved':
        return this.#checkApproval(event, actor);
      case 'workspace.removed':
      case 'workspace.removal_requested':
        return this.#checkRemoval(event);
      case 'workspace.merged':
        return expect(
          this.#task(event).diff === event.source,
          'it merged something else than the newest diff',
        );
      case 'attempt.started':
        return expect(!this.#openAttempt(event).started, 'it was started before');
      case 'attempt.question_asked':
        this.#openAttempt(event);
        return expect(!this.#task(event).questions.has(event.question), 'it was asked before');
      case 'attempt.question_answered':
        return expect(this.#task(event).questions.get(event.question) === true, 'it is not open');
      case 'attempt.extended':
        return expect(event.deadline_ms > this.#openAttempt(event).deadline, 'it has less time');
      case 'attempt.wait_ended':
        return expect(this.#openAttempt(event).waits, 'it does not wait');
      case 'attempt.wait_resumed': {
        const { waits, questions } = this.#openAttempt(event);
        expect(!waits, 'it waits already');
        return expect(questions.size > 0, 'it waits for nothing');
      }
      case 'attempt.stop_requested':
        return this.#checkStop(event, time);
      case 'attempt.message_rejected':
        return expect(transitions.length === 0, 'a rejected word changed something');
      default:
        if ('attempt' in event && event.attempt !== null)
          this.#openAttempt({ ...event, attempt: event.attempt });
    }
  }

  #noteBudget(event: Extract<DomainEvent, { readonly budget: string }>): void {
    const { budget } = event;
    if (event.type === 'budget.set') this.#budgets.set(budget, event.spec);
    if (event.type === 'budget.exhausted') this.#exhausted.add(budget);
    else if (event.type !== 'budget.warned') this.#exhausted.delete(budget);
  }

  #checkBudgets({ project, agent }: EventOf<'task.claimed'>): void {
    for (const id of this.#exhausted) {
      const spec = this.#budgets.get(id);
      const isMeant = (spec?.project ?? project) === project && (spec?.agent ?? agent) === agent;
      expect(!isMeant, `budget ${id} is used up`);
    }
  }

  /** A task that is claimed with its creation must not overtake another one of its queue, unless that may wait for the agent of its session. */
  #checkHaste(task: TaskModel): void {
    const queue = queueOf(task);
    const waiting = [...this.tasks.values()].find(
      (each) =>
        each !== task &&
        each.state === 'pending' &&
        each.open === null &&
        queueOf(each) === queue &&
        (each.attempts === 0 || each.spec.agent !== undefined),
    );
    expect(waiting === undefined, `${waiting?.id} waits before it in ${queue}`);
  }

  #checkTime(event: EventOf<'schedule.fired'> | EventOf<'schedule.skipped'>): void {
    const time = `${event.schedule} ${event.nominal_ms}`;
    expect(!this.#times.has(time), `the time ${event.nominal_ms} was decided before`);
    this.#times.add(time);
    if (event.type === 'schedule.skipped') return;
    const project = this.#projectOf.get(event.schedule) ?? '';
    this.fired.add(taskKey({ project, task: event.task_id }));
  }

  #checkEdit(event: EventOf<'task.edited'>): void {
    const { open, state, spec, isRedacted } = this.#task(event);
    const names = Object.keys(event.changes);
    const isPriority = names.every((name) => name === 'priority');
    expect(names.length > 0, 'it changes nothing');
    expect(isPriority || open === null, `attempt ${open} is open`);
    expect(isPriority || ['scheduled', 'pending', 'blocked'].includes(state), `it is ${state}`);
    const values: Readonly<Record<string, unknown>> = spec;
    for (const [name, change] of Object.entries(event.changes)) {
      const [from, to] = [change?.from, change?.to].map((value) => canonicalJson(value ?? null));
      expect(isRedacted || from === canonicalJson(values[name] ?? null), `${name} was not ${from}`);
      expect(from !== to, `${name} stays ${from}`);
    }
  }

  #checkRemoval(event: EventOf<'workspace.removed'> | EventOf<'workspace.removal_requested'>): void {
    const task = this.#task(event);
    if (event.type === 'workspace.removal_requested') task.discards = event.discard;
    const isSafe = task.discards || task.diff === null || task.diff === task.merged;
    expect(isSafe, 'its workspace has work that is nowhere else');
    // An attempt that was claimed while its workspace was being removed does not begin.
    const attempt =
      task.open === null
        ? undefined
        : this.attempts.get(attemptKey({ project: task.project, task: task.id, attempt: task.open }));
    expect(attempt?.started !== true, 'its attempt works in it');
  }

  #checkStop(event: EventOf<'attempt.stop_requested'>, time: number): void {
    const { suspectedAt, waits, deadline, silentUntil } = this.#openAttempt(event);
    expect(event.reason !== 'timeout' || time >= deadline, `it has time until ${deadline}`);
    expect(event.reason !== 'silence' || time >= silentUntil, `it may be silent until ${silentUntil}`);
    const isByTime = event.reason === 'timeout' || event.reason === 'silence';
    expect(!isByTime || !waits, 'it waits for an answer');
    if (event.reason !== 'silence') return;
    expect(suspectedAt !== null && time > suspectedAt, 'it was not suspected before');
  }

  #checkClaim(event: EventOf<'task.claimed'>, time: number, sequence: number): void {
    const task = this.#task(event);
    if (task.created === sequence) this.#checkHaste(task);
    const { project, agent, attempt } = event;
    expect(task.open === null, `attempt ${task.open} is open`);
    expect(attempt === task.attempts + 1, `attempt ${attempt} follows ${task.attempts}`);
    expect(task.used < task.granted, `${task.granted} attempts were granted`);
    const running = this.running(agent);
    const slots = this.stateOf('agent', agent) === 'probing' ? 1 : (this.#concurrency.get(agent) ?? 0);
    expect(running < slots, `agent ${agent} runs ${running} of ${slots}`);
    const state = this.stateOf('agent', agent) ?? '';
    expect(['idle', 'busy', 'probing'].includes(state), `agent ${agent} is ${state}`);
    expect(this.open < this.#limits.concurrency, `${this.open} attempts are open`);
    const inProject = [...this.tasks.values()].filter(
      (each) => each.project === project && each.open !== null,
    );
    expect(inProject.length < this.#limits.projectConcurrency, `${inProject.length} are open in ${project}`);
    expect(!this.#isDraining, 'Signalbox is draining');
    expect((task.spec.agent ?? agent) === agent, `it is for agent ${task.spec.agent}`);
    const queue = queueOf(task);
    expect(this.stateOf('queue', queue) !== 'paused', `queue ${queue} is paused`);
    expect(task.waitingFor.size === 0, `it waits for ${[...task.waitingFor].join()}`);
    const { expires_at_ms } = task.spec;
    const isExpired = expires_at_ms !== undefined && attempt === 1 && !task.redriven && time > expires_at_ms;
    expect(!isExpired, `it expired at ${expires_at_ms}, and is claimed at ${time}`);
    for (let holder: TaskModel | undefined = task; holder; holder = this.#parentOf(holder)) {
      const cap = holder.spec.budget?.attempts ?? Infinity;
      expect(this.#attemptsBelow(holder) < cap, `the budget of ${holder.id} has ${cap} attempts`);
    }
  }

  #checkApproval(event: EventOf<'task.approved'>, actor: string): void {
    if (actor !== 'supervisor') return;
    const task = this.#task(event);
    expect(task.spec.review === 'auto', 'a person has to approve it');
    expect(task.open === null, `attempt ${task.open} is open`);
    if (task.spec.join !== true) return;
    for (const child of this.tasks.values()) {
      if (this.#parentOf(child) !== task || child.isLate) continue;
      expect(child.state === 'done', `it joins ${child.id}, which is ${child.state}`);
      for (const index of (child.spec.follow_ups ?? []).keys()) {
        const id = `${child.id}-f${index + 1}`;
        expect(
          this.tasks.has(taskKey({ project: child.project, task: id })),
          `it joins ${id}, which is not there`,
        );
      }
    }
  }

  #transit({ transitions }: StoredRecord): void {
    for (const { entity, id, version, from, to } of transitions) {
      const known = this.#entities.get(`${entity} ${id}`);
      expect(from === (known?.state ?? null), `${entity} ${id} was ${known?.state}, not ${from}`);
      expect(
        version === (known?.version ?? 0) + 1,
        `${entity} ${id} goes from ${known?.version} to ${version}`,
      );
      this.#entities.set(`${entity} ${id}`, { state: to, version });
    }
  }

  /** After the event: what is true now? */
  #follow({ sequence, event, transitions, time, actor }: StoredRecord): void {
    if (event.type === 'task.created') this.#create(event, actor, sequence);
    if ('budget' in event) this.#noteBudget(event);
    if (event.type === 'schedule.created') this.#projectOf.set(event.schedule, event.spec.project);
    const task = 'task' in event ? this.#task(event) : undefined;
    const moved = transitions.find(({ entity }) => entity === 'task');
    if (task && moved) Object.assign(task, { state: moved.to, version: moved.version });
    if (task && event.type === 'task.claimed') this.#claim(event, task, sequence);
    else if (task && event.type === 'attempt.ended') this.#end(event, task);
    else if ('attempt' in event && event.attempt !== null)
      this.#note({ ...event, attempt: event.attempt }, time, sequence);
    if (task && 'retry_at_ms' in event && moved?.to === 'scheduled' && moved.from !== 'scheduled') {
      task.dueAt = event.retry_at_ms;
    }
    if (task?.open && isUnwanting(event)) {
      const attempt = this.attempts.get(
        attemptKey({ project: task.project, task: task.id, attempt: task.open }),
      );
      if (attempt) attempt.unwantedSince ??= this.#epoch;
    }
    if (task && event.type === 'task.dependency_met') task.waitingFor.delete(event.dependency);
    if (task && event.type === 'task.unblocked') task.waitingFor.clear();
    if (task && (event.type === 'task.due' || event.type === 'task.unblocked')) task.dueAt = null;
    if (task && event.type === 'task.redriven') {
      Object.assign(task, { granted: task.used + task.spec.max_attempts, redriven: true });
    }
    if (task && event.type === 'task.output_added' && event.output.diff) task.diff = event.output.diff.commit;
    if (task && event.type === 'workspace.merged') task.merged = event.source;
    if (task && event.type === 'task.cancelled') task.cancelsChildren = event.children === true;
    if (task && event.type === 'task.redacted') task.isRedacted = true;
    if (task && event.type === 'task.edited') {
      const values = Object.entries(event.changes).map(([name, change]) => [name, change?.to ?? undefined]);
      task.spec = { ...task.spec, ...Object.fromEntries(values) };
    }
    if ('deadline_ms' in event && event.deadline_ms !== undefined) {
      const timed =
        event.attempt === null
          ? undefined
          : this.attempts.get(attemptKey({ ...event, attempt: event.attempt }));
      if (timed) timed.deadline = event.deadline_ms;
      if (timed && event.type === 'attempt.extended') timed.silentUntil = event.silent_until_ms;
    }
    if (task && event.type === 'attempt.question_asked') {
      task.questions.set(event.question, true);
      const attempt = this.attempts.get(attemptKey(event));
      attempt?.questions.add(event.question);
      if (attempt) attempt.waits = true;
    }
    if (task && event.type === 'attempt.question_answered') {
      task.questions.set(event.question, false);
      for (let attempt = 1; attempt <= task.attempts; attempt++) {
        const { project, id } = task;
        const asking = this.attempts.get(attemptKey({ project, task: id, attempt }));
        asking?.questions.delete(event.question);
        if (asking?.questions.size === 0) asking.waits = false;
      }
    }
    if (task && event.type === 'task.blocked' && event.gives_back && event.attempt === task.open) {
      const blocked = this.#openAttempt({ ...event, attempt: event.attempt ?? 0 });
      if (!blocked.givenBack) task.used--;
      blocked.givenBack = true;
    }
    if (event.type === 'agent.registered') this.#concurrency.set(event.agent, event.concurrency);
    if (event.type === 'supervisor.draining') this.#isDraining = true;
    if (event.type === 'supervisor.started') {
      this.#isDraining = false;
      this.#epoch++;
    }
  }

  #create(
    { project, task: id, spec, waiting_for = [] }: EventOf<'task.created'>,
    actor: string,
    sequence: number,
  ): void {
    const parent =
      spec.parent === undefined ? undefined : this.tasks.get(taskKey({ project, task: spec.parent }));
    const isLate = actor !== 'supervisor' && parent?.state === 'review';
    this.tasks.set(
      taskKey({ project, task: id }),
      newTask({ project, id, created: sequence, spec, isLate, waitingFor: new Set(waiting_for) }),
    );
  }

  #claim(event: EventOf<'task.claimed'>, task: TaskModel, sequence: number): void {
    task.open = task.attempts = event.attempt;
    task.used++;
    this.open++;
    this.#running.set(event.agent, this.running(event.agent) + 1);
    this.attempts.set(attemptKey(event), newAttempt(event.agent, sequence));
  }

  #end(event: EventOf<'attempt.ended'>, task: TaskModel): void {
    const attempt = this.#openAttempt(event);
    attempt.ended = true;
    expect(event.outcome === 'parked' || attempt.questions.size === 0, 'it leaves an open question');
    expect(event.agent === attempt.agent, `it was claimed by ${attempt.agent}, not ${event.agent}`);
    task.open = null;
    const isFree = ['quota', 'not_begun', 'parked'].includes(event.outcome);
    if (isFree && !attempt.givenBack) task.used--;
    this.open--;
    this.#running.set(event.agent, this.running(event.agent) - 1);
  }

  #note(
    event: { type: string; project: string; task: string; attempt: number },
    time: number,
    sequence: number,
  ): void {
    const attempt = this.attempts.get(attemptKey(event));
    if (!attempt) return;
    if (event.type === 'attempt.started') {
      attempt.started = true;
      attempt.isStartedByClaim = attempt.claimed === sequence;
    }
    if (event.type === 'attempt.suspected') attempt.suspectedAt = time;
    if (event.type === 'attempt.recovered') attempt.suspectedAt = null;
    if (event.type === 'attempt.stop_requested') attempt.stopping = true;
    if (event.type === 'attempt.wait_ended') attempt.waits = false;
    if (event.type === 'attempt.wait_resumed') attempt.waits = true;
    if (event.type === 'attempt.message_rejected') attempt.rejected++;
  }

  #task({ project, task }: { project: string; task: string }): TaskModel {
    const found = this.tasks.get(taskKey({ project, task }));
    if (!found) throw new Violation(`there is no task ${task} in project ${project}`);
    return found;
  }

  #openAttempt(event: { project: string; task: string; attempt: number }): AttemptModel {
    const { open } = this.#task(event);
    expect(open === event.attempt, `it is about attempt ${event.attempt}; open is ${open}`);
    const found = this.attempts.get(attemptKey(event));
    if (!found) throw new Violation(`there is no attempt ${event.attempt}`);
    return found;
  }

  #parentOf({ project, spec }: TaskModel): TaskModel | undefined {
    return spec.parent === undefined ? undefined : this.tasks.get(taskKey({ project, task: spec.parent }));
  }

  #attemptsBelow(task: TaskModel): number {
    let sum = task.used;
    for (const each of this.tasks.values())
      if (this.#parentOf(each) === task) sum += this.#attemptsBelow(each);
    return sum;
  }
}

/** Whether a person wants no more of the attempt that is open. */
export function isUnwanting(event: DomainEvent): boolean {
  return event.type === 'task.cancelled' || (event.type === 'task.blocked' && event.attempt === null);
}
