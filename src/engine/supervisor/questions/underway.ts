/** Decisions that are made and not stored yet, by key. */
export class Underway {
  readonly #decisions = new Map<string, Promise<unknown>>();

  has(key: string): boolean {
    return this.#decisions.has(key);
  }

  /** Notes a decision until it is stored. Settles as it does. */
  async note(key: string, committed: Promise<unknown>): Promise<void> {
    this.#decisions.set(key, committed);
    try {
      await committed;
    } finally {
      this.#decisions.delete(key);
    }
  }

  /** The decision that is under way, settled without an error; undefined if there is none. */
  of(key: string): Promise<unknown> | undefined {
    return this.#decisions.get(key)?.catch(() => {});
  }
}
