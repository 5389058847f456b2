/**
 * Pending tasks in the order in which they are dispatched.
 *
 * Invariant dispatch/priority-then-age: within a project by priority (10 first), then by age; before them go tasks that had
 * begun, and whose question was answered. Of the projects with ready
 * tasks, the one with the fewest open attempts goes first, then the one that was served longest ago: none starves.
 *
 * This is only an index: an entry is stale if its task was cancelled, claimed or edited. `take`
 * drops stale entries.
 */
import { Heap } from '../../base/heap.ts';

/** Names a queue: `agent:<id>` for the tasks of one agent, `type:<name>` for those of one type. */
export type QueueKey = string;

export interface ReadyTask {
  readonly key: string;
  readonly project: string;
  readonly priority: number;
  /** How often it had been edited: an edit may have moved it to another queue. */
  readonly edits: number;
  /** Whether it goes before all priorities. */
  readonly goesFirst: boolean;
  /** Sequence of the task's first event. */
  readonly age: number;
}

interface QueuedTask extends ReadyTask {
  readonly queue: QueueKey;
}

interface Demand {
  readonly queues: readonly QueueKey[];
  readonly isReady: (task: ReadyTask) => boolean;
  readonly loadOf: (project: string) => number;
  /** Open attempts that a project may have. */
  readonly projectCap: number;
}

interface Candidate {
  readonly heap: Heap<QueuedTask>;
  readonly first: QueuedTask;
  readonly load: number;
  readonly served: number;
}

function compare(a: ReadyTask, b: ReadyTask): number {
  return Number(b.goesFirst) - Number(a.goesFirst) || b.priority - a.priority || a.age - b.age;
}

function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.first.project === b.first.project) return compare(a.first, b.first);
  return a.load - b.load || a.served - b.served || compare(a.first, b.first);
}

export class ReadyTasks {
  readonly #queues = new Map<QueueKey, Map<string, Heap<QueuedTask>>>();
  /** The number of the take in which each project was served last. */
  readonly #served = new Map<string, number>();
  #takes = 0;

  add(queue: QueueKey, task: ReadyTask): void {
    const projects = this.#queues.get(queue) ?? new Map<string, Heap<QueuedTask>>();
    this.#queues.set(queue, projects);
    const heap = projects.get(task.project) ?? new Heap<QueuedTask>(compare);
    projects.set(task.project, heap);
    heap.push({ ...task, queue });
  }

  /** Queues in which tasks may wait. */
  *queues(): Iterable<QueueKey> {
    for (const [queue, projects] of this.#queues) if (projects.size > 0) yield queue;
  }

  /** Whether tasks may wait in this queue. */
  has(queue: QueueKey): boolean {
    return (this.#queues.get(queue)?.size ?? 0) > 0;
  }

  /** Takes the next task of these queues; undefined if no project may start one. */
  take(demand: Demand): QueuedTask | undefined {
    let best: Candidate | undefined;
    for (const queue of demand.queues) {
      for (const candidate of this.#candidates(queue, demand)) {
        if (!best || compareCandidates(candidate, best) < 0) best = candidate;
      }
    }
    if (!best) return undefined;
    this.#served.set(best.first.project, ++this.#takes);
    return best.heap.pop();
  }

  *#candidates(queue: QueueKey, { isReady, loadOf, projectCap }: Demand): Iterable<Candidate> {
    const projects = this.#queues.get(queue);
    if (!projects) return;
    for (const [project, heap] of projects) {
      const first = firstReady(heap, isReady);
      if (!first) {
        projects.delete(project);
        continue;
      }
      const load = loadOf(project);
      if (load < projectCap) yield { heap, first, load, served: this.#served.get(project) ?? 0 };
    }
  }
}

function firstReady(heap: Heap<QueuedTask>, isReady: Demand['isReady']): QueuedTask | undefined {
  for (let first = heap.peek(); first; first = heap.peek()) {
    if (isReady(first)) return first;
    heap.pop();
  }
  return undefined;
}
