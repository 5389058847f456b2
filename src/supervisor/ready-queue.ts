/**
 * Pending tasks in the order in which they are to be claimed: by lane, then priority (10 first), then age.
 *
 * Q1 An index, not a truth: an entry may be stale (its task was cancelled or claimed). Whoever takes one asks the
 *    task's machine; a stale entry is dropped by `take`.
 */
import { Heap } from '../runtime/heap.ts';

/** Tasks that the same agents may take: those for one agent, or those of one type. */
export type Lane = `agent:${string}` | `type:${string}`;

export interface ReadyTask {
  /** `project/task` */
  readonly key: string;
  readonly priority: number;
  /** Sequence of the task's first event. */
  readonly age: number;
}

function compare(a: ReadyTask, b: ReadyTask): number {
  return b.priority - a.priority || a.age - b.age;
}

export class ReadyQueue {
  readonly #lanes = new Map<Lane, Heap<ReadyTask>>();

  add(lane: Lane, task: ReadyTask): void {
    let heap = this.#lanes.get(lane);
    if (!heap) {
      heap = new Heap(compare);
      this.#lanes.set(lane, heap);
    }
    heap.push(task);
  }

  /** Takes the first task of all these lanes that is still wanted. */
  take(lanes: readonly Lane[], isReady: (key: string) => boolean): ReadyTask | undefined {
    let best: Heap<ReadyTask> | undefined;
    for (const lane of lanes) {
      const heap = this.#lanes.get(lane);
      if (!heap) continue;
      const first = this.#firstReady(heap, isReady);
      if (!first) this.#lanes.delete(lane);
      else if (!best || compare(first, best.peek() ?? first) < 0) best = heap;
    }
    return best?.pop();
  }

  #firstReady(heap: Heap<ReadyTask>, isReady: (key: string) => boolean): ReadyTask | undefined {
    for (let first = heap.peek(); first; first = heap.peek()) {
      if (isReady(first.key)) return first;
      heap.pop();
    }
    return undefined;
  }
}
