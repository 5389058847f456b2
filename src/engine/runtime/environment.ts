/** All that comes from outside and is not a decision: injected, so that tests and simulations hold it in their hands. */
import { randomBytes } from 'node:crypto';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `wake` once after `delayMs`; the answer takes it back. */
  schedule(delayMs: number, wake: () => void): () => void;
}

export interface Environment {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  /** A new id of `length` characters of 0-9 and a-z. */
  randomId(length: number): string;
}

/** The longest delay that `setTimeout` takes; a longer one would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** Random bytes are drawn many at once: each call of the system's generator costs more than a whole event. */
const POOL_SIZE = 4_096;
let pool = Buffer.alloc(0);
let poolOffset = 0;

function draw(length: number): Buffer {
  if (poolOffset + length > pool.length) {
    pool = randomBytes(Math.max(POOL_SIZE, length));
    poolOffset = 0;
  }
  poolOffset += length;
  return pool.subarray(poolOffset - length, poolOffset);
}

export const systemEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    schedule(delayMs, wake) {
      const timer = setTimeout(wake, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
      return () => clearTimeout(timer);
    },
  },
  random: () => draw(4).readUInt32BE() / 2 ** 32,
  randomId(length) {
    let id = '';
    for (const byte of draw(length)) id += ALPHABET[byte % 36];
    return id;
  },
};
