/**
 * Which settled tasks are in memory. The others are read back from the log on demand.
 *
 * Invariant retention/changes-nothing: nothing in the log says that a task has left memory, and nothing depends on it.
 * - A task leaves by the times of the records, not by the clock, and only if nothing more can follow from it: it is
 *   settled, its attempts have ended, no decision about it is waiting to be stored, and no unsettled task depends on it.
 * - A family (a task, all below it, and the follow-ups of any of them) leaves as a whole, once all follow-ups exist.
 * - A task that has left can be read, but nothing more happens to it.
 * - While the log is read, a task leaves later than it did before, by as many events as can have been waiting for the
 *   journal then: decisions of its last moment still find it.
 */

import type { Projections, TaskView } from '../../../projections/index.ts';
import { EntryQueue } from '../../base/entry-queue.ts';
import { sha256 } from '../../base/hash.ts';
import { KeyedHeap } from '../../base/heap.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';
import { isDeadState } from '../../contracts/tasks.ts';
import { type ActorHost, isSettled } from './actor-host.ts';

export interface RetentionLimits {
  /** Milliseconds from the last event of a family until it leaves memory. */
  readonly finishedMs: number;
  /** The same for a family with a task that has failed or expired, which a user may want to look at. */
  readonly deadLettersMs: number;
  /** Settled tasks in memory, above which the oldest leave earlier; dead letters last. */
  readonly tasks: number;
}

export interface RetentionOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly limits: RetentionLimits;
}

/** More events than can have been decided and not stored yet. */
const LAG = 50_000;

export class Retention {
  readonly #options: RetentionOptions;
  readonly #finished = new KeyedHeap<Family>(compareFamilies);
  readonly #dead = new KeyedHeap<Family>(compareFamilies);
  /** By the key of a follow-up: the task that it follows. */
  readonly #origins = new Map<string, string>();
  /** The times of the newest records while the log is read; null afterwards. */
  #recent: EntryQueue<number> | null = new EntryQueue();
  #newest = 0;
  /** Sequence of the newest record. */
  #sequence = 0;
  /** Events that are decided and not stored yet. */
  #underway: () => number = () => 0;
  #forgotten: number;

  /** @param forgotten tasks that had left memory before */
  constructor(options: RetentionOptions, forgotten = 0) {
    this.#options = options;
    this.#forgotten = forgotten;
    const { tasks } = options.projections.blackboard;
    for (const [key, task] of tasks) this.#noteFollowUps(key, task);
    for (const key of tasks.keys()) this.#enqueue(key);
  }

  /** How many tasks have left memory since the log began. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Call it after all others have seen the record. */
  onRecord({ event, time, sequence, left }: StoredRecord): void {
    // The events of a message are of one task, which is looked at once, when all of them are visible.
    if (left > 0) return;
    this.#sequence = sequence;
    if ('task' in event) this.#onTask(taskKey(event));
    if (event.type === 'workspace.removed' && !this.#view(taskKey(event)))
      this.#forgetWorkspace(taskKey(event));
    this.#newest = time;
    if (!this.#recent) return this.#sweep(time, 0);
    this.#recent.push(time);
    const then = this.#recent.length > LAG ? this.#recent.shift() : undefined;
    if (then !== undefined) this.#sweep(then, LAG);
  }

  /**
   * The log has been read: records are new from now on.
   * @param underway how many events are decided and not stored yet
   */
  catchUp(underway: () => number = () => 0): void {
    this.#underway = underway;
    this.#recent = null;
    this.#sweep(this.#newest, 0);
  }

  #onTask(key: string): void {
    const task = this.#view(key);
    if (!task || !this.#isSettled(key)) return;
    this.#noteFollowUps(key, task);
    this.#enqueue(key);
    // It may have been the last dependent for which these had to stay.
    for (const dependency of task.spec.depends_on ?? [])
      this.#enqueue(taskKey({ project: task.project, task: dependency }));
  }

  #noteFollowUps(key: string, task: TaskView): void {
    for (const followUp of followUpsOf(task)) this.#origins.set(followUp, key);
  }

  /** Enqueues the family of this task if all of it is settled. */
  #enqueue(key: string): void {
    const head = this.#headOf(key);
    const family = this.#isSettled(head) ? this.#familyOf(head) : null;
    if (!family) return;
    const tasks = [...family].flatMap((member) => this.#view(member) ?? []);
    const time = Math.max(...tasks.map(({ updatedAt }) => updatedAt));
    const isDead = tasks.some(({ state }) => isDeadState(state));
    this.#finished.delete(head);
    this.#dead.delete(head);
    (isDead ? this.#dead : this.#finished).set({ key: head, time, after: this.#sequence + this.#underway() });
  }

  #sweep(now: number, lag: number): void {
    const { finishedMs, deadLettersMs, tasks } = this.#options.limits;
    const areTooMany = (): boolean => this.#settledTasks > tasks + lag;
    this.#leaveWhere(this.#finished, (time) => time + finishedMs <= now || areTooMany());
    this.#leaveWhere(this.#dead, (time) => time + deadLettersMs <= now || areTooMany());
  }

  get #settledTasks(): number {
    const { host } = this.#options;
    return host.count('task') - host.unfinishedTasks;
  }

  #leaveWhere(queue: KeyedHeap<Family>, isDue: (time: number) => boolean): void {
    for (let first = queue.first(); first && isDue(first.time); first = queue.first()) {
      if (first.after > this.#sequence) return;
      queue.delete(first.key);
      const family = this.#familyOf(first.key);
      // If it is not free, the event that frees it enqueues it again.
      if (family && this.#isFree(family)) this.#leave(family);
    }
  }

  /** The keys of all members; null if one of them is not settled or does not exist yet. */
  #familyOf(head: string): Set<string> | null {
    const members = new Set([head]);
    for (const key of members) {
      const task = this.#view(key);
      if (!task || !this.#isSettled(key)) return null;
      for (const child of this.#children(key)) members.add(child);
      for (const followUp of followUpsOf(task)) members.add(followUp);
    }
    return members;
  }

  #isFree(family: ReadonlySet<string>): boolean {
    const { host, projections } = this.#options;
    const { tasks, dependents } = projections.blackboard;
    return [...family].every(
      (key) =>
        host.get('task', key)?.version === tasks.get(key)?.version &&
        (dependents.get(key) ?? []).every((dependent) => this.#isSettled(dependent)),
    );
  }

  #leave(family: ReadonlySet<string>): void {
    const { host, projections } = this.#options;
    for (const key of family) {
      const task = this.#view(key);
      if (task) for (const followUp of followUpsOf(task)) this.#origins.delete(followUp);
      projections.forgetTask(key);
      host.forget('task', key);
      this.#forgetWorkspace(key);
      this.#forgotten++;
    }
  }

  /** A workspace may outlive the time of its task in memory, but not the other way round. */
  #forgetWorkspace(key: string): void {
    const { host } = this.#options;
    if (host.get('workspace', key)?.state === 'removed') host.forget('workspace', key);
  }

  #headOf(key: string): string {
    const seen = new Set<string>();
    for (let head = key; ; ) {
      seen.add(head);
      const task = this.#view(head);
      const parent = task && parentKeyOf(task);
      const above = [parent, this.#origins.get(head)].find((each) => each !== undefined && this.#view(each));
      if (above === undefined || seen.has(above)) return head;
      head = above;
    }
  }

  #isSettled(key: string): boolean {
    const entity = this.#options.host.get('task', key);
    return entity !== undefined && isSettled(entity);
  }

  #children(key: string): readonly string[] {
    return this.#options.projections.blackboard.children.get(key) ?? [];
  }

  #view(key: string): TaskView | undefined {
    return this.#options.projections.blackboard.tasks.get(key);
  }
}

/** The id of the `number`th follow-up of a task: always the same, and at most 64 characters long. */
export function followUpId(task: string, number: number): string {
  const id = `${task}-f${number}`;
  return id.length <= 64 ? id : `${task.slice(0, 40)}-${sha256(id).slice(0, 20)}`;
}

/** The keys of the tasks that follow a done task, in memory or not. */
function followUpsOf({ project, id, state, spec }: TaskView): string[] {
  if (state !== 'done') return [];
  return (spec.follow_ups ?? []).map((_, index) => taskKey({ project, task: followUpId(id, index + 1) }));
}

/** A family that may leave. */
interface Family {
  /** The key of the task above all others. */
  readonly key: string;
  /** Epoch milliseconds of its last event. */
  readonly time: number;
  /** The sequence after which it may leave: decisions from before it settled (a new child, for example) are stored then. */
  readonly after: number;
}

function compareFamilies(a: Family, b: Family): number {
  return a.time - b.time || (a.key < b.key ? -1 : 1);
}

function parentKeyOf({ project, spec }: TaskView): string | undefined {
  return spec.parent === undefined ? undefined : taskKey({ project, task: spec.parent });
}
