/** The keys that a log was signed with, from the first on: which is in use, and whether it is to be trusted. */
import type { EventOf } from '../../contracts/events/events.ts';
import { fingerprintOf, isSignedWith, rawPublicKey, successionText } from './keys.ts';

export interface IntroducedKey extends Omit<EventOf<'supervisor.key_introduced'>, 'type'> {
  /** Of the event that introduced it. */
  readonly sequence: number;
}

export class KeyChain {
  readonly #trusted: ReadonlySet<string>;
  readonly keys: IntroducedKey[] = [];

  /** @param trusted fingerprints from which a chain may begin; empty: the first key is believed */
  constructor(trusted: ReadonlySet<string>) {
    this.#trusted = trusted;
  }

  /** The key that signs from here on. */
  get current(): IntroducedKey | null {
    return this.keys.at(-1) ?? null;
  }

  /** @returns what is wrong with it; null where all is well */
  introduce(key: IntroducedKey): string | null {
    const earlier = this.current;
    this.keys.push(key);
    const raw = rawPublicKey(key.public_key);
    if (raw === null || fingerprintOf(raw) !== key.key) {
      return `the public key ${key.public_key} does not have the fingerprint ${key.key}`;
    }
    if (this.#trusted.has(key.key)) return null;
    if (key.signed_by === undefined) return this.#unvouched(key.key, earlier);
    if (earlier?.key !== key.signed_by) {
      return `key ${key.key} says that ${key.signed_by} vouches for it, but ${earlier?.key ?? 'none'} was in use`;
    }
    const text = successionText(earlier.key, key.key);
    if (isSignedWith(earlier.public_key, text, key.signature ?? '')) return null;
    return `the signature by which ${earlier.key} is to vouch for key ${key.key} is not valid`;
  }

  #unvouched(key: string, earlier: IntroducedKey | null): string | null {
    if (earlier) {
      return `key ${key} takes the place of ${earlier.key}, which does not vouch for it: the earlier one was lost, or somebody else signs. If you know this key, name it with --key too`;
    }
    return this.#trusted.size === 0
      ? null
      : `the chain of keys begins with ${key}, and not with ${[...this.#trusted].join(' or ')}`;
  }
}
