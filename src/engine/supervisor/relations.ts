/**
 * What follows for other tasks when one settles: dependents, follow-ups, parents.
 *
 * W1 Everything here follows from the blackboard alone, and doing it twice does nothing the second time, so that a
 *    crash in between is made up for at the next start.
 */
import type { Projections, TaskView } from '../../../projections/index.ts';
import { sha256 } from '../../base/hash.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import { type FollowUpSpec, SETTLED_STATES, type TaskSpec } from '../../contracts/tasks.ts';
import { formatTraceparent } from '../../contracts/trace-context.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import { followUpId } from '../runtime/retention.ts';
import { traceOf } from '../runtime/task-trace.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';

export interface RelationsOptions {
  readonly projections: Projections;
  readonly host: ActorHost;
  readonly timers: TimerQueue;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A task that has left memory; null where there never was one. */
  readonly lookUp: (project: string, task: string) => Promise<TaskView | null>;
  /** @returns why it was refused; null where it was decided */
  readonly decide: (event: DomainEvent) => SignalboxError | null;
}

/** How much of the outputs of a finished task goes into the text of a follow-up. */
const OUTPUT_EXCERPT = 100_000;
const MAX_TITLE = 500;
/** Milliseconds until the log is asked again, where it was out of reach. */
const LOOK_UP_AGAIN_MS = 1_000;

export class Relations {
  readonly #options: RelationsOptions;
  constructor(options: RelationsOptions) {
    this.#options = options;
  }

  /** What a task that is not settled has to do with those that are. */
  takeUp(task: TaskView): void {
    const waitingFor = this.#options.host.get('task', `${task.project}/${task.id}`)?.context.waitingFor ?? [];
    for (const dependency of waitingFor) {
      const found = this.#view(`${task.project}/${dependency}`);
      if (!found) void this.#settleForArchived(task, dependency);
      else if (SETTLED_STATES.has(found.state)) this.#settleFor(task, found);
    }
  }

  /** The dependency settled and left memory before this task was recorded to wait for it. */
  async #settleForArchived(task: TaskView, dependency: string): Promise<void> {
    const { timers, now, lookUp } = this.#options;
    try {
      const found = await lookUp(task.project, dependency);
      if (found) this.#settleFor(task, found);
    } catch {
      const key = `dependency:${task.project}/${task.id}/${dependency}`;
      timers.set(key, now() + LOOK_UP_AGAIN_MS, () => void this.#settleForArchived(task, dependency));
    }
  }

  /** A task has settled. */
  onSettled(task: TaskView): void {
    const key = `${task.project}/${task.id}`;
    for (const dependent of this.#options.projections.blackboard.dependents.get(key) ?? []) {
      const view = this.#view(dependent);
      if (view) this.#settleFor(view, task);
    }
    if (task.state === 'done') this.#followUp(task);
    if (task.spec.parent !== undefined) this.#settleParent(`${task.project}/${task.spec.parent}`);
  }

  /** The children for which a task has to wait in review: those that are not settled, of a task that joins them. */
  awaitedChildren(task: TaskView): readonly TaskView[] {
    if (task.spec.join !== true) return [];
    return this.#children(task).filter(({ state }) => !SETTLED_STATES.has(state));
  }

  /** Whether nobody has to look before a task is done: all children that it joins are, and what follows from them. */
  isJoined(task: TaskView): boolean {
    if (task.spec.join !== true) return true;
    return this.#children(task).every((child) => child.state === 'done' && this.#isFollowedUp(child));
  }

  #settleFor(dependent: TaskView, dependency: TaskView): void {
    const { project, id } = dependent;
    const address = { project, task: id };
    const entity = this.#options.host.get('task', `${project}/${id}`);
    if (!entity?.context.waitingFor.includes(dependency.id)) return;
    if (dependency.state === 'done' && (entity.state === 'scheduled' || entity.state === 'blocked')) {
      this.#options.decide({ type: 'task.dependency_met', ...address, dependency: dependency.id });
    } else if (entity.state === 'scheduled') {
      const reason = `it depends on task ${dependency.id}, which is ${dependency.state}`;
      const blocked = { ...address, attempt: null, reason, dependency: dependency.id };
      this.#options.decide({ type: 'task.blocked', ...blocked });
    }
  }

  #settleParent(key: string): void {
    const parent = this.#view(key);
    if (parent?.state !== 'review' || parent.spec.review !== 'auto' || parent.openAttempt !== null) return;
    if (parent.spec.join === true && this.isJoined(parent)) {
      this.#options.decide({ type: 'task.approved', project: parent.project, task: parent.id });
    }
  }

  #followUp(task: TaskView): void {
    for (const [index, followUp] of (task.spec.follow_ups ?? []).entries()) {
      const { project } = task;
      const id = followUpId(task.id, index + 1);
      if (this.#options.host.get('task', `${project}/${id}`)) continue;
      const request_sha256 = sha256(`follow-up ${index + 1} of ${project}/${task.id}`);
      const create = (outputs: string): SignalboxError | null => {
        const spec = this.#specOf(task, followUp, outputs);
        return this.#options.decide({ type: 'task.created', project, task: id, spec, request_sha256 });
      };
      if (create(outputsOf(task))?.code === 'body_too_large') create(`(too large: see task ${task.id})`);
    }
  }

  #isFollowedUp({ project, id, spec }: TaskView): boolean {
    const isThere = (number: number): boolean =>
      this.#view(`${project}/${followUpId(id, number)}`) !== undefined;
    return (spec.follow_ups ?? []).every((_, index) => isThere(index + 1));
  }

  #specOf(task: TaskView, { delay_ms, ...followUp }: FollowUpSpec, outputs: string): TaskSpec {
    const trace = traceOf(this.#options.projections.blackboard.tasks, task);
    const fill = (text: string): string =>
      text
        .replaceAll('{{outputs}}', () => outputs)
        .replaceAll('{{title}}', () => task.spec.title)
        .replaceAll('{{task_id}}', () => task.id);
    return {
      ...followUp,
      title: fill(followUp.title).slice(0, MAX_TITLE),
      description: fill(followUp.description),
      source: followUp.source ?? `follow-up of ${task.id}`,
      // In the same tree, so that its parent waits for it and its budget counts.
      parent: task.spec.parent,
      not_before_ms: delay_ms && task.finishedAt !== null ? task.finishedAt + delay_ms : undefined,
      // The task that it follows is what has asked for it.
      traceparent: formatTraceparent(trace),
      tracestate: trace.state,
    };
  }

  #children(task: TaskView): TaskView[] {
    const keys = this.#options.projections.blackboard.children.get(`${task.project}/${task.id}`) ?? [];
    // A review of the task is below it for its budget, and no part of its work.
    return keys.flatMap((key) => this.#view(key) ?? []).filter(({ spec }) => spec.reviews === undefined);
  }

  #view(key: string): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(key);
  }
}

function outputsOf({ outputs }: TaskView): string {
  return outputs
    .map(({ title, content, content_file }) => `${title}:\n${content ?? content_file?.path ?? ''}`)
    .join('\n\n')
    .slice(0, OUTPUT_EXCERPT);
}
