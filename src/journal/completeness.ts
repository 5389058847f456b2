/**
 * Whether the log has every message that it should have, by what the store says about itself: cheap, at any length.
 *
 * The first event of a log is never erased, and every other message that is missing must be named by a redaction. This
 * finds a log that was purged, cut, or lost messages; bytes that were changed are found by reading (`chain.ts`).
 */

import { damaged } from './failures.ts';
import type { Extent, Journal, JournalEntry } from './journal.ts';
import { readRedactions } from './redactions.ts';

type Store = Pick<Journal<JournalEntry>, 'extent' | 'missing' | 'readByFilter'>;

export class Completeness {
  readonly #store: Store;
  /** The number of missing messages of which each was found to be redacted. Messages do not come back. */
  #explained = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * @param known the last sequence that is known to be stored
   * @throws SignalboxError `log_corrupt` if something is missing, `nats_unavailable`
   */
  async check(known: number): Promise<void> {
    const extent = await this.#store.extent();
    const { first, last, messages } = extent;
    if (last < known) {
      throw damaged(last + 1, `it ends at event ${last}, but event ${known} was stored in it`, { end: last });
    }
    if (first > 1 && last > 0) {
      throw damaged(1, `it begins at event ${first}: events 1 to ${first - 1} are missing, it was purged`, {
        expected: 1,
        found: first,
      });
    }
    const missing = last - messages;
    if (missing !== this.#explained) await this.#explain(extent, missing);
  }

  /** Each missing message was redacted before it was erased, so the redactions are read last. */
  async #explain({ last }: Extent, count: number): Promise<void> {
    const missing = await this.#store.missing();
    const redacted = new Set<number>();
    for await (const { sequence } of readRedactions(this.#store)) redacted.add(sequence);
    const lost = missing.filter((sequence) => !redacted.has(sequence));
    const [sequence] = lost;
    if (sequence !== undefined) {
      const more = lost.length === 1 ? 'is missing' : `and ${lost.length - 1} more are missing`;
      throw damaged(sequence, `event ${sequence} ${more}, and no redaction explains it`, {
        expected: sequence,
        lost: lost.length,
        end: last,
      });
    }
    this.#explained = count;
  }
}
