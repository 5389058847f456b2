/**
 * Pending tasks in the order in which they are to be claimed: projects take turns; within a project by priority (10
 * first), then age.
 *
 * Q1 An index, not a truth: an entry may be stale (its task was cancelled or claimed). Whoever takes one asks the
 *    task's machine; a stale entry is dropped by `take`.
 * Q2 Of the projects that have something to do, the one with the fewest open attempts goes first, and among equals the
 *    one that was served longest ago: none starves.
 */
import { Heap } from '../../base/heap.ts';

/** Tasks that the same agents may take: those for one agent, or those of one type. */
export type Lane = `agent:${string}` | `type:${string}`;

export interface ReadyTask {
  /** `project/task` */
  readonly key: string;
  readonly project: string;
  readonly priority: number;
  /** Sequence of the task's first event. */
  readonly age: number;
}

export interface QueuedTask extends ReadyTask {
  readonly lane: Lane;
}

export interface Demand {
  readonly lanes: readonly Lane[];
  readonly isReady: (key: string) => boolean;
  /** Open attempts of a project. */
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
  return b.priority - a.priority || a.age - b.age;
}

function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.first.project === b.first.project) return compare(a.first, b.first);
  return a.load - b.load || a.served - b.served || compare(a.first, b.first);
}

export class ReadyQueue {
  readonly #lanes = new Map<Lane, Map<string, Heap<QueuedTask>>>();
  /** When each project was served last, counted in takes. */
  readonly #served = new Map<string, number>();
  #takes = 0;

  add(lane: Lane, task: ReadyTask): void {
    const projects = this.#lanes.get(lane) ?? new Map<string, Heap<QueuedTask>>();
    this.#lanes.set(lane, projects);
    const heap = projects.get(task.project) ?? new Heap<QueuedTask>(compare);
    projects.set(task.project, heap);
    heap.push({ ...task, lane });
  }

  /** Lanes in which something may wait. */
  *lanes(): Iterable<Lane> {
    for (const [lane, projects] of this.#lanes) if (projects.size > 0) yield lane;
  }

  /** Whether something may wait in this lane. */
  has(lane: Lane): boolean {
    return (this.#lanes.get(lane)?.size ?? 0) > 0;
  }

  /** Takes the task that is next for somebody who may take from these lanes. */
  take(demand: Demand): QueuedTask | undefined {
    let best: Candidate | undefined;
    for (const lane of demand.lanes) {
      for (const candidate of this.#candidates(lane, demand)) {
        if (!best || compareCandidates(candidate, best) < 0) best = candidate;
      }
    }
    if (!best) return undefined;
    this.#served.set(best.first.project, ++this.#takes);
    return best.heap.pop();
  }

  *#candidates(lane: Lane, { isReady, loadOf, projectCap }: Demand): Iterable<Candidate> {
    const projects = this.#lanes.get(lane);
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

function firstReady(heap: Heap<QueuedTask>, isReady: (key: string) => boolean): QueuedTask | undefined {
  for (let first = heap.peek(); first; first = heap.peek()) {
    if (isReady(first.key)) return first;
    heap.pop();
  }
  return undefined;
}
