/** Verifies signing keys and checkpoints. Keeps the hashes since the newest checkpoint, once there is a key. */
import type { EventOf } from '../../contracts/events/events.ts';
import {
  checkpointText,
  digestOf,
  fingerprintOf,
  isSignedWith,
  rawPublicKey,
  successionText,
} from './keys.ts';

export interface IntroducedKey extends Omit<EventOf<'supervisor.key_introduced'>, 'type'> {
  /** Of the event that introduced it. */
  readonly sequence: number;
}

/** The keys of a log in order; each vouches for the next one. */
export class KeyChain {
  readonly #trusted: ReadonlySet<string>;
  readonly keys: IntroducedKey[] = [];

  /** @param trusted fingerprints that a chain may begin with; if empty, the first key is trusted */
  constructor(trusted: ReadonlySet<string>) {
    this.#trusted = trusted;
  }

  /** The key in use. */
  get current(): IntroducedKey | null {
    return this.keys.at(-1) ?? null;
  }

  /** Makes it the current key. @returns what is wrong with it, or null */
  introduce(key: IntroducedKey): string | null {
    const earlier = this.current;
    this.keys.push(key);
    const raw = rawPublicKey(key.public_key);
    if (raw === null || fingerprintOf(raw) !== key.key) {
      return `public key ${key.public_key} does not have the fingerprint ${key.key}`;
    }
    if (this.#trusted.has(key.key)) return null;
    if (key.signed_by === undefined) return this.#withoutSignature(key.key, earlier);
    if (earlier?.key !== key.signed_by) {
      return `key ${key.key} is signed by ${key.signed_by}, but the key in use was ${earlier?.key ?? 'none'}`;
    }
    const text = successionText(earlier.key, key.key);
    if (isSignedWith(earlier.public_key, text, key.signature ?? '')) return null;
    return `the signature of key ${earlier.key} for its successor ${key.key} is not valid`;
  }

  #withoutSignature(key: string, earlier: IntroducedKey | null): string | null {
    if (earlier) {
      return `key ${key} replaces ${earlier.key}, which does not vouch for it: the earlier key was lost, or the log was signed by someone else. If you know this key, pass it with --key as well`;
    }
    return this.#trusted.size === 0
      ? null
      : `the chain of keys begins with ${key}, not with ${[...this.#trusted].join(' or ')}`;
  }
}

type Checkpointed = EventOf<'supervisor.checkpointed'>;

/** Compares checkpoints with the log: their last hash, the digest of all hashes, and the signature. */
export class Checkpoints {
  readonly #keys: KeyChain;
  /** Sequence of the first hash in the list. */
  #from = 0;
  /** null for a missing event. */
  #hashes: (string | null)[] = [];
  /** Checkpoints so far. */
  count = 0;
  /** The last event that is covered; 0 if none is. */
  covered = 0;

  constructor(keys: KeyChain) {
    this.#keys = keys;
  }

  /** @param hash of the next event; null for a gap */
  note(sequence: number, hash: string | null): void {
    if (this.#keys.current === null) return;
    if (this.#hashes.length === 0) this.#from = sequence;
    this.#hashes.push(hash);
  }

  /** @returns what is wrong with it */
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
      return `the checkpoint is signed with key ${checkpoint.key}, but the key in use was ${current?.key ?? 'none'}`;
    }
    const isValid = isSignedWith(current.public_key, checkpointText(checkpoint), checkpoint.signature);
    return isValid ? null : `the signature of the checkpoint does not match key ${checkpoint.key}`;
  }

  #extent({ from, sequence, hash, digest }: Checkpointed): string[] {
    const problems: string[] = [];
    if (this.covered > 0 && from !== this.covered + 1) {
      problems.push(
        `the checkpoint begins with event ${from}, but the previous one ends with ${this.covered}`,
      );
    }
    const listed = this.#hashes.slice(Math.max(from - this.#from, 0), sequence + 1 - this.#from);
    const last = sequence < this.#from ? undefined : listed.at(-1);
    // A bundle may begin within the covered part: then its first hashes are not known.
    const isWhole = from >= this.#from && listed.length === sequence + 1 - from;
    if (from >= this.#from && !isWhole) {
      problems.push(`the checkpoint covers events up to ${sequence}, which are not before it`);
    }
    if (typeof last === 'string' && listed.length > 0 && last !== hash) {
      problems.push(`the checkpoint has the hash ${hash} for event ${sequence}, which is ${last}`);
    }
    const hashes = listed.filter((each) => each !== null);
    if (isWhole && hashes.length === listed.length && digestOf(hashes) !== digest) {
      problems.push(`events ${from} to ${sequence} are not the signed ones: one of their hashes differs`);
    }
    return problems;
  }
}
