/** Time and chance: injected, so that tests and simulations control them. */
import { randomBytes } from 'node:crypto';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `wake` once after `delayMs`. The returned function cancels it. */
  schedule(delayMs: number, wake: () => void): () => void;
}

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** A new id of `length` characters of 0-9 and a-z. */
  randomId(length: number): string;
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Bytes drawn at once: a call of the system's generator costs more than committing an event. */
const POOL_BYTES = 4_096;
let pool = Buffer.alloc(0);
let poolOffset = 0;

function draw(length: number): Buffer {
  if (poolOffset + length > pool.length) {
    pool = randomBytes(Math.max(POOL_BYTES, length));
    poolOffset = 0;
  }
  poolOffset += length;
  return pool.subarray(poolOffset - length, poolOffset);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, wake) {
    const timer = setTimeout(wake, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

export const systemEnvironment: Environment = {
  clock: systemClock,
  random: () => draw(4).readUInt32BE() / 2 ** 32,
  randomId(length) {
    let id = '';
    for (const byte of draw(length)) id += ALPHABET[byte % 36];
    return id;
  },
};
