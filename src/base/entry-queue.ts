/** A first-in, first-out queue whose head moves in constant time; an array's `shift` does not on long queues. */
export class EntryQueue<Entry> {
  #items: (Entry | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(entry: Entry): void {
    this.#items.push(entry);
  }

  /** The entry at `index` from the head, without taking it. */
  at(index: number): Entry | undefined {
    return this.#items[this.#head + index];
  }

  shift(): Entry | undefined {
    const entry = this.#items[this.#head];
    if (entry === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head > 8_192 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
