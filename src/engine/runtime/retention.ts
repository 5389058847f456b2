/**
 * Which settled tasks are in memory: those of late. The others are read back from the log when somebody asks.
 *
 * N1 Nothing in the log says that a task has left memory, and nothing depends on it: what is true of a task is the
 *    same whether it is read here or there. When one leaves follows from the times of the records, not from the clock.
 * N2 A task leaves only when nothing more can follow from it: it is settled, its attempts have ended, nothing of it
 *    is on its way into the log, and no task that is not settled depends on it.
 * N3 A family (a task, all below it, and what follows up on any of them) leaves together, once all that follows is
 *    there: so what follows is created once, and what is added up over a family is added up over all of it.
 * N4 What has left is history: it can be read, and nothing more happens to it.
 * N5 While the log is read back a task leaves later than it did, by as many events as can have been on their way: what
 *    was decided about it in its last moment finds it there.
 */
import type { Projections, TaskView } from '../../../projections/index.ts';
import { KeyedHeap } from '../../base/heap.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { DEAD_STATES, type TaskState } from '../../contracts/tasks.ts';
import { EntryQueue } from '../../journal/entry-queue.ts';
import { type ActorHost, isSettled } from './actor-host.ts';
import { followUpId } from './follow-up-id.ts';

export interface RetentionLimits {
  /** Milliseconds from the last event of a family until it leaves memory. */
  readonly finishedMs: number;
  /** The same for one with a task that has failed or expired: it waits for somebody to look. */
  readonly deadLettersMs: number;
  /** Settled tasks in memory, above which the oldest leave earlier; dead letters last. */
  readonly tasks: number;
}

export interface RetentionOptions {
  readonly host: ActorHost;
  readonly projections: Projections;
  readonly limits: RetentionLimits;
}

/** Events that can have been decided and not stored yet, with room to spare. */
const LAG = 50_000;

export class Retention {
  readonly #options: RetentionOptions;
  /** Oldest first, like the other. */
  readonly #finished = new KeyedHeap<Family>(compareFamilies);
  readonly #dead = new KeyedHeap<Family>(compareFamilies);
  /** Follow-ups in memory, by the task that they follow. */
  readonly #origins = new Map<string, string>();
  /** The times of the newest records while the log is read back; null from then on. */
  #recent: EntryQueue<number> | null = new EntryQueue();
  #newest = 0;
  /** Sequence of the newest record. */
  #sequence = 0;
  /** Events that are decided and not stored yet. */
  #underway: () => number = () => 0;
  #forgotten: number;

  /** @param forgotten tasks that had left memory before this process began */
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

  /** To be called after everybody else has seen the record. */
  onRecord({ event, time, sequence }: StoredRecord): void {
    this.#sequence = sequence;
    if ('task' in event) this.#onTask(`${event.project}/${event.task}`);
    this.#newest = time;
    if (!this.#recent) return this.#sweep(time, 0);
    this.#recent.push(time);
    const then = this.#recent.length > LAG ? this.#recent.shift() : undefined;
    if (then !== undefined) this.#sweep(then, LAG);
  }

  /**
   * The log is read back: what comes now is new.
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
    // It may have been the last for which these had to stay.
    for (const dependency of task.spec.depends_on ?? []) this.#enqueue(`${task.project}/${dependency}`);
  }

  #noteFollowUps(key: string, task: TaskView): void {
    for (const followUp of followUpsOf(task)) this.#origins.set(followUp, key);
  }

  /** Puts the family of this task into its queue, if all of it is settled. */
  #enqueue(key: string): void {
    const head = this.#headOf(key);
    const family = this.#isSettled(head) ? this.#familyOf(head) : null;
    if (!family) return;
    const tasks = [...family].flatMap((member) => this.#view(member) ?? []);
    const time = Math.max(...tasks.map(({ updatedAt }) => updatedAt));
    const isDead = tasks.some(({ state }) => (DEAD_STATES as readonly TaskState[]).includes(state));
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
      // Where something holds it, the event that sets it free puts it back into the queue.
      if (family && this.#isFree(family)) this.#leave(family);
    }
  }

  /** All members, by `project/task`; null where one of them is not settled, or not there yet. */
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
      this.#forgotten++;
    }
  }

  #headOf(key: string): string {
    const seen = new Set<string>();
    for (let head = key; ; ) {
      seen.add(head);
      const task = this.#view(head);
      const parent = task?.spec.parent === undefined ? undefined : `${task.project}/${task.spec.parent}`;
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

/** What a done task was to be followed by, as `project/task`, in memory or not. */
function followUpsOf({ project, id, state, spec }: TaskView): string[] {
  if (state !== 'done') return [];
  return (spec.follow_ups ?? []).map((_, index) => `${project}/${followUpId(id, index + 1)}`);
}

/** A family that may leave. */
interface Family {
  /** The task above all others of it, as `project/task`. */
  readonly key: string;
  /** Epoch milliseconds of its last event. */
  readonly time: number;
  /** The event after which it may leave: what was decided before it settled, a new child of it for one, is here then. */
  readonly after: number;
}

function compareFamilies(a: Family, b: Family): number {
  return a.time - b.time || (a.key < b.key ? -1 : 1);
}
