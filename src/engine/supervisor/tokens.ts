/**
 * Attempt tokens: with its token an agent authenticates as its attempt.
 *
 * Invariant access/attempt-speaks-for-itself: a token is derived from a secret that never leaves the data directory and
 * belongs to one attempt. A restarted Signalbox derives it again; the log holds only its hash.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../../base/hash.ts';
import { type AttemptRef, attemptKey, type TaskRef } from '../../contracts/ids.ts';

export class AttemptTokens {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  tokenOf(ref: AttemptRef): string {
    return createHmac('sha256', this.#secret).update(attemptKey(ref)).digest('base64url');
  }

  /** The secret of the link that answers a question. It differs from every token of an attempt. */
  linkSecretOf(question: string): string {
    return createHmac('sha256', this.#secret).update(`answer link of ${question}`).digest('base64url');
  }

  hashOf(ref: AttemptRef): string {
    return sha256(this.tokenOf(ref));
  }

  /** Whether the token belongs to this attempt. */
  isOf(token: string, ref: AttemptRef): boolean {
    const given = Buffer.from(token);
    const own = Buffer.from(this.tokenOf(ref));
    return own.length === given.length && timingSafeEqual(own, given);
  }

  /** The attempt of the task, at most `newest`, to which the token belongs; null if there is none. */
  attemptOf(token: string, { project, task }: TaskRef, newest: number): number | null {
    for (let attempt = newest; attempt >= 1; attempt--) {
      if (this.isOf(token, { project, task, attempt })) return attempt;
    }
    return null;
  }
}
