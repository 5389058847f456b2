/**
 * What a task needs in its present state: a place in its queue, a timer, an approval, or nothing. It follows from the
 * state alone, and is asked after each event of the task and once for every task after a restart.
 */

import type { TaskView } from '../../../projections/index.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import { SETTLED_STATES } from '../../contracts/tasks.ts';
import { isAuxiliary, refOf, viewKey } from '../runtime/views.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Relations } from './relations.ts';
import type { Reviews } from './reviews.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { ownApprovalOf } from './workspaces/workspace-facts.ts';

interface TaskKeeperParts extends SupervisorContext {
  readonly relations: Relations;
  readonly reviews: Reviews;
  readonly dispatcher: Dispatcher;
  /** Called for a task that answers a question. */
  readonly answerOf: (task: TaskView) => void;
}

export class TaskKeeper {
  readonly #options: TaskKeeperParts;

  constructor(options: TaskKeeperParts) {
    this.#options = options;
  }

  takeUp(task: TaskView): void {
    const { timers, dispatcher, relations, reviews, answerOf } = this.#options;
    const { spec } = task;
    if (relations.cancelUnwanted(task)) return;
    const key = viewKey(task);
    if (spec.reviews !== undefined) reviews.takeUpReview(task);
    if (spec.answers !== undefined) answerOf(task);
    switch (task.state) {
      case 'pending':
        this.#watchExpiry(task);
        if (task.openAttempt === null) dispatcher.add(task);
        return;
      case 'scheduled':
        this.#watchExpiry(task);
        if (task.dueAt !== null) timers.set(`due:${key}`, task.dueAt, () => this.#onDue(task));
        return relations.takeUp(task);
      case 'review':
        if (spec.reviews === undefined) reviews.takeUp(task);
        if (spec.review !== 'auto' || task.openAttempt !== null || !relations.isJoined(task)) return;
        this.#approve(refOf(task));
        return;
      case 'done':
        return relations.onSettled(task);
      default:
        return;
    }
  }

  /** Approves a task with the end of its attempt, if nothing but its automatic review is left. */
  approveEnded(event: TaskRef, task: TaskView | undefined): void {
    if (task === undefined || task.spec.review !== 'auto') return;
    // Other tasks may have to follow first.
    if (isAuxiliary(task.spec) || task.spec.join === true) return;
    // What is approved is the newest diff, which the blackboard does not have yet.
    if (this.#options.projections.workspaces.byTask.has(viewKey(task))) return;
    const { state, context } = this.#options.host.get('task', viewKey(task)) ?? {};
    if (state === 'review' && context?.openAttempt === null)
      this.#options.decide({ type: 'task.approved', project: event.project, task: event.task });
  }

  /** Whether `expires_at` has passed before the task was claimed. */
  isExpired(task: TaskView): boolean {
    const at = this.#expiryOf(task);
    return at !== null && at <= this.#options.environment.clock.now();
  }

  /** Call it when the task is claimed, over or edited. */
  forgetTimers(key: string): void {
    this.#options.timers.cancel(`due:${key}`);
    this.#options.timers.cancel(`expire:${key}`);
  }

  #approve(task: TaskRef): void {
    const { projections, decide } = this.#options;
    const approval = ownApprovalOf(projections, { type: 'task.approved', ...task });
    if (approval !== null) decide(approval);
  }

  #watchExpiry(task: TaskView): void {
    const at = this.#expiryOf(task);
    if (at !== null) this.#options.timers.set(`expire:${viewKey(task)}`, at, () => this.#onExpiry(task));
  }

  #expiryOf(task: TaskView): number | null {
    const context = this.#options.host.get('task', viewKey(task))?.context;
    return context?.attempts === 0 && !context.redriven ? context.expiresAt : null;
  }

  #onExpiry(task: TaskView): void {
    const { host, decide } = this.#options;
    const state = host.get('task', viewKey(task))?.state;
    if (!this.isExpired(task) || (state !== 'pending' && state !== 'scheduled')) return;
    decide({ type: 'task.expired', ...refOf(task) });
  }

  /** The task may have been blocked or cancelled meanwhile. */
  #onDue(task: TaskView): void {
    const { host, environment, decide } = this.#options;
    const entity = host.get('task', viewKey(task));
    const dueAt = entity?.context.dueAt ?? null;
    if (entity?.state !== 'scheduled' || dueAt === null || dueAt > environment.clock.now()) return;
    decide({ type: 'task.due', ...refOf(task) });
  }
}

/** The task that this record has settled (done, failed, cancelled, expired); null if it has settled none. */
export function settledBy({ event, transitions }: StoredRecord): TaskRef | null {
  if (!('task' in event)) return null;
  const moved = transitions.find(({ entity }) => entity === 'task');
  if (!moved || moved.from === moved.to || !SETTLED_STATES.has(moved.to)) return null;
  return event;
}
