/**
 * Whether checkpoints fit the log: the hash of their last event, the list of all hashes since the one before, and the
 * signature.
 *
 * Memory: the hashes since the newest checkpoint, once there is a key.
 */
import type { EventOf } from '../../contracts/events/events.ts';
import type { KeyChain } from './key-chain.ts';
import { checkpointText, digestOf, isSignedWith } from './keys.ts';

type Checkpointed = EventOf<'supervisor.checkpointed'>;

export class Checkpoints {
  readonly #keys: KeyChain;
  /** Sequence of the first hash in the list. */
  #from = 0;
  /** null for an event that is missing. */
  #hashes: (string | null)[] = [];
  /** Checkpoints that were seen. */
  count = 0;
  /** The last event that is covered; 0 for none. */
  covered = 0;

  constructor(keys: KeyChain) {
    this.#keys = keys;
  }

  /** The next event of the log, or a gap in its place. */
  note(sequence: number, hash: string | null): void {
    if (this.#keys.current === null) return;
    if (this.#hashes.length === 0) this.#from = sequence;
    this.#hashes.push(hash);
  }

  /** @returns what is wrong with it; empty where all is well */
  check(checkpoint: Checkpointed): string[] {
    const problems = [this.#signature(checkpoint), ...this.#extent(checkpoint)];
    this.count++;
    this.covered = checkpoint.sequence;
    const known = Math.min(Math.max(checkpoint.sequence + 1 - this.#from, 0), this.#hashes.length);
    this.#hashes.splice(0, known);
    this.#from += known;
    return problems.filter((problem) => problem !== null);
  }

  #signature(checkpoint: Checkpointed): string | null {
    const { current } = this.#keys;
    if (current?.key !== checkpoint.key) {
      return `the checkpoint is signed with the key ${checkpoint.key}, in use was ${current?.key ?? 'none'}`;
    }
    const isValid = isSignedWith(current.public_key, checkpointText(checkpoint), checkpoint.signature);
    return isValid ? null : `the signature of the checkpoint is not one of key ${checkpoint.key}`;
  }

  #extent({ from, sequence, hash, digest }: Checkpointed): string[] {
    const problems: string[] = [];
    if (this.covered > 0 && from !== this.covered + 1) {
      problems.push(
        `the checkpoint begins with event ${from}, but the one before it ends with ${this.covered}`,
      );
    }
    const listed = this.#hashes.slice(Math.max(from - this.#from, 0), sequence + 1 - this.#from);
    const last = sequence < this.#from ? undefined : listed.at(-1);
    // A bundle may begin after the start of the part that is covered: then the list is not known.
    const isWhole = from >= this.#from && listed.length === sequence + 1 - from;
    if (from >= this.#from && !isWhole) {
      problems.push(`the checkpoint covers events up to ${sequence}, which do not come before it`);
    }
    if (typeof last === 'string' && listed.length > 0 && last !== hash) {
      problems.push(`the checkpoint says that event ${sequence} has the hash ${hash}, it has ${last}`);
    }
    const hashes = listed.filter((each) => each !== null);
    if (isWhole && hashes.length === listed.length && digestOf(hashes) !== digest) {
      problems.push(
        `the events ${from} to ${sequence} are not those that were signed: one of their hashes differs`,
      );
    }
    return problems;
  }
}
