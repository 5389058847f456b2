/** Skeletons that stand for erased content, until the redaction comes by that vouches for each. */
import type { EventOf } from '../../contracts/events/events.ts';

interface Pending {
  readonly hash: string;
  readonly text: string;
}

export class PendingRedactions {
  readonly #pending = new Map<number, Pending>();
  /** Settled already: a redaction may be recorded twice. */
  readonly #settled = new Set<number>();

  add(sequence: number, hash: string, bytes: Uint8Array): void {
    this.#pending.set(sequence, { hash, text: Buffer.from(bytes).toString() });
  }

  /**
   * @param by sequence of the redaction
   * @param isWhole whether every event before it was seen
   * @returns what is wrong; null where all is well
   */
  settle(
    { sequence, sha256, skeleton }: EventOf<'task.redacted'>,
    by: number,
    isWhole: boolean,
  ): string | null {
    const pending = this.#pending.get(sequence);
    if (!pending) {
      if (!isWhole || this.#settled.has(sequence)) return null;
      return `event ${by} says that the content of event ${sequence} is erased, but it is still there: start Signalbox, which finishes it`;
    }
    this.#pending.delete(sequence);
    this.#settled.add(sequence);
    if (pending.hash !== sha256) {
      return `the redaction ${by} gives the hash ${sha256} for event ${sequence}, not ${pending.hash}`;
    }
    return pending.text === JSON.stringify(skeleton)
      ? null
      : `what stands for event ${sequence} is not what the redaction ${by} has put there`;
  }

  /** Those that no redaction vouches for. */
  *open(): Iterable<{ readonly sequence: number; readonly problem: string }> {
    for (const sequence of this.#pending.keys()) {
      yield {
        sequence,
        problem: `the content of event ${sequence} is gone, and no redaction vouches for what stands for it`,
      };
    }
  }
}
