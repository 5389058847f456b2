/**
 * What follows for other tasks when one settles: its dependents, follow-ups and parent.
 *
 * Everything follows from the blackboard alone, and doing it twice has no further effect, so that the next start makes
 * up for a crash in between.
 */

import type { TaskView } from '../../../projections/index.ts';
import { sha256 } from '../../base/hash.ts';
import { cutText } from '../../base/text/cut-text.ts';
import { formatTraceparent } from '../../base/trace-context.ts';
import type { SignalboxError } from '../../contracts/errors.ts';
import { MAX_TITLE_LENGTH } from '../../contracts/fields.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { type FollowUpSpec, SETTLED_STATES, type TaskSpec } from '../../contracts/tasks.ts';
import type { Archive } from '../runtime/archive.ts';
import { followUpId } from '../runtime/retention.ts';
import { traceOf } from '../runtime/task-trace.ts';
import {
  cancelledAbove,
  childrenOf,
  isAuxiliary,
  refOf,
  taskOf,
  unsettledBelow,
  viewKey,
} from '../runtime/views.ts';
import type { SupervisorContext } from './supervisor-context.ts';
import { ownApprovalOf } from './workspaces/workspace-facts.ts';

interface RelationsParts extends SupervisorContext {
  readonly archive: Pick<Archive, 'find'>;
}

/** Characters of the outputs of a done task that go into the text of a follow-up. */
const MAX_OUTPUT_LENGTH = 100_000;
/** Milliseconds until the log is read again if it was unreachable. */
const LOOK_UP_AGAIN_MS = 1_000;

export class Relations {
  readonly #options: RelationsParts;

  constructor(options: RelationsParts) {
    this.#options = options;
  }

  /** Applies dependencies that are settled already to a task that waits for them. */
  takeUp(task: TaskView): void {
    const { host, projections } = this.#options;
    for (const dependency of host.get('task', viewKey(task))?.context.waitingFor ?? []) {
      const found = taskOf(projections, { project: task.project, task: dependency });
      if (!found) void this.#settleForArchived(task, dependency);
      else if (SETTLED_STATES.has(found.state)) this.#settleFor(task, found);
    }
  }

  /** The dependency settled and left memory before this task was recorded to wait for it. */
  async #settleForArchived(task: TaskView, dependency: string): Promise<void> {
    const { timers, environment, archive } = this.#options;
    try {
      const found = await archive.find({ project: task.project, task: dependency });
      if (found) this.#settleFor(task, found.view);
    } catch {
      const key = `dependency:${viewKey(task)}/${dependency}`;
      const at = environment.clock.now() + LOOK_UP_AGAIN_MS;
      timers.set(key, at, () => void this.#settleForArchived(task, dependency));
    }
  }

  onSettled(task: TaskView): void {
    const { tasks, dependents } = this.#options.projections.blackboard;
    for (const dependent of dependents.get(viewKey(task)) ?? []) {
      const view = tasks.get(dependent);
      if (view) this.#settleFor(view, task);
    }
    if (task.state === 'done') this.#followUp(task);
    if (task.spec.parent !== undefined) {
      this.#settleParent({ project: task.project, task: task.spec.parent });
    }
  }

  /**
   * Cancels what is unsettled below a task that was cancelled with its children, or the task itself if it is below one.
   * @returns whether nothing else is to be done for it
   */
  cancelUnwanted(task: TaskView): boolean {
    if (task.cancelsChildren) {
      for (const each of unsettledBelow(this.#options.projections, task)) this.#cancelBelow(each, task);
      return true;
    }
    const above = SETTLED_STATES.has(task.state) ? null : cancelledAbove(this.#options.projections, task);
    return above !== null && this.#cancelBelow(task, above);
  }

  /** @returns false if that is not possible now: its work is being merged */
  #cancelBelow(task: TaskView, above: TaskView): boolean {
    const entity = this.#options.host.get('task', viewKey(task));
    if (!entity || SETTLED_STATES.has(entity.state)) return true;
    if (entity.context.merging) return false;
    const reason = `it is below task ${above.id}, which was cancelled with everything below it`;
    return this.#options.decide({ type: 'task.cancelled', ...refOf(task), reason }) === null;
  }

  /** The unsettled children for which a task in review waits; none if it does not join its children. */
  awaitedChildren(task: TaskView): readonly TaskView[] {
    if (task.spec.join !== true) return [];
    return this.#children(task).filter(({ state }) => !SETTLED_STATES.has(state));
  }

  /** Whether all children that a task joins are done, and their follow-ups exist. */
  isJoined(task: TaskView): boolean {
    if (task.spec.join !== true) return true;
    return this.#children(task).every((child) => child.state === 'done' && this.#isFollowedUp(child));
  }

  #settleFor(dependent: TaskView, dependency: TaskView): void {
    const ref = refOf(dependent);
    const entity = this.#options.host.get('task', taskKey(ref));
    if (!entity?.context.waitingFor.includes(dependency.id)) return;
    if (dependency.state === 'done' && (entity.state === 'scheduled' || entity.state === 'blocked')) {
      this.#options.decide({ type: 'task.dependency_met', ...ref, dependency: dependency.id });
    } else if (entity.state === 'scheduled') {
      const reason = `it depends on task ${dependency.id}, which is ${dependency.state}`;
      const blocked = { ...ref, attempt: null, reason, dependency: dependency.id };
      this.#options.decide({ type: 'task.blocked', ...blocked });
    }
  }

  #settleParent(ref: TaskRef): void {
    const parent = taskOf(this.#options.projections, ref);
    if (parent?.state !== 'review' || parent.spec.review !== 'auto' || parent.openAttempt !== null) return;
    if (parent.spec.join === true && this.isJoined(parent)) {
      const { projections, decide } = this.#options;
      const approval = ownApprovalOf(projections, { type: 'task.approved', ...refOf(parent) });
      if (approval !== null) decide(approval);
    }
  }

  #followUp(task: TaskView): void {
    for (const [index, followUp] of (task.spec.follow_ups ?? []).entries()) {
      const { project } = task;
      const id = followUpId(task.id, index + 1);
      if (this.#options.host.get('task', taskKey({ project, task: id }))) continue;
      const request_sha256 = sha256(`follow-up ${index + 1} of ${viewKey(task)}`);
      const create = (outputs: string): SignalboxError | null => {
        const spec = this.#specOf(task, followUp, outputs);
        return this.#options.decide({ type: 'task.created', project, task: id, spec, request_sha256 });
      };
      if (create(outputsOf(task))?.code === 'body_too_large') create(`(too large: see task ${task.id})`);
    }
  }

  #isFollowedUp({ project, id, spec }: TaskView): boolean {
    const isThere = (number: number): boolean =>
      taskOf(this.#options.projections, { project, task: followUpId(id, number) }) !== undefined;
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
      title: cutText(fill(followUp.title), MAX_TITLE_LENGTH),
      description: fill(followUp.description),
      source: followUp.source ?? `follow-up of ${task.id}`,
      // In the same tree: its parent waits for it, and it counts for the budget.
      parent: task.spec.parent,
      not_before_ms: delay_ms && task.finishedAt !== null ? task.finishedAt + delay_ms : undefined,
      // It was caused by the task that it follows.
      traceparent: formatTraceparent(trace),
      tracestate: trace.state,
    };
  }

  #children(task: TaskView): TaskView[] {
    const children = childrenOf(this.#options.projections, refOf(task));
    return children.filter(({ spec }) => !isAuxiliary(spec));
  }
}

function outputsOf({ outputs }: TaskView): string {
  const texts = outputs.map(
    ({ title, content, content_file }) => `${title}:\n${content ?? content_file?.path ?? ''}`,
  );
  return cutText(texts.join('\n\n'), MAX_OUTPUT_LENGTH);
}
