import { Heap } from './heap.ts';

/** A heap in which each key stands once: setting it anew replaces its item, and an item can be taken out by its key. */
export class KeyedHeap<Item extends { readonly key: string }> {
  readonly #heap: Heap<Item>;
  readonly #current = new Map<string, Item>();

  constructor(compare: (a: Item, b: Item) => number) {
    this.#heap = new Heap(compare);
  }

  get size(): number {
    return this.#current.size;
  }

  set(item: Item): void {
    this.#current.set(item.key, item);
    this.#heap.push(item);
    this.#compact();
  }

  delete(key: string): void {
    if (this.#current.delete(key)) this.#compact();
  }

  /** The least item by `compare`. */
  first(): Item | undefined {
    for (;;) {
      const first = this.#heap.peek();
      if (!first || this.#current.get(first.key) === first) return first;
      this.#heap.pop();
    }
  }

  clear(): void {
    this.#current.clear();
    this.#heap.rebuild([]);
  }

  /** The heap forgets a stale item when it comes up; where they prevail, it is built anew. */
  #compact(): void {
    if (this.#heap.size > 64 && this.#heap.size > this.#current.size * 2) {
      this.#heap.rebuild(this.#current.values());
    }
  }
}
