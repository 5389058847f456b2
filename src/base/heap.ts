/** Binary heaps: the least item by `compare` comes first. */
export class Heap<Item> {
  #items: Item[] = [];
  readonly #compare: (a: Item, b: Item) => number;

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#siftUp(this.#items.length - 1);
  }

  pop(): Item | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0 && last !== undefined) {
      this.#items[0] = last;
      this.#siftDown(0);
    }
    return first;
  }

  rebuild(items: Iterable<Item>): void {
    this.#items = [];
    for (const item of items) this.push(item);
  }

  #siftUp(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfLess(index, parent)) return;
      index = parent;
    }
  }

  #siftDown(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const least = this.#isLess(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfLess(least, index)) return;
      index = least;
    }
  }

  #isLess(a: number, b: number): boolean {
    const first = this.#items[a];
    const second = this.#items[b];
    return first !== undefined && second !== undefined && this.#compare(first, second) < 0;
  }

  #swapIfLess(a: number, b: number): boolean {
    const first = this.#items[a];
    const second = this.#items[b];
    if (first === undefined || second === undefined || this.#compare(first, second) >= 0) return false;
    this.#items[a] = second;
    this.#items[b] = first;
    return true;
  }
}

/** A heap with one item for each key: setting a key again replaces its item, and an item can be deleted by its key. */
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

  /** Stale items leave the heap when they reach its top; if most items are stale, the heap is rebuilt. */
  #compact(): void {
    if (this.#heap.size > 64 && this.#heap.size > this.#current.size * 2) {
      this.#heap.rebuild(this.#current.values());
    }
  }
}
