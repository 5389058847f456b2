/**
 * Attempt tokens: what an agent shows to prove that it speaks for its attempt.
 *
 * K1 A token is derived from a secret that never leaves the data directory, so a restarted Signalbox knows it again
 *    without having stored it; the log holds only its hash.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../../base/hash.ts';

export class AttemptTokens {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  tokenOf(project: string, task: string, attempt: number): string {
    return createHmac('sha256', this.#secret).update(`${project}/${task}/${attempt}`).digest('base64url');
  }

  hashOf(project: string, task: string, attempt: number): string {
    return sha256(this.tokenOf(project, task, attempt));
  }

  /** Whether the token belongs to this attempt. */
  isOf(token: string, project: string, task: string, attempt: number): boolean {
    const given = Buffer.from(token);
    const own = Buffer.from(this.tokenOf(project, task, attempt));
    return own.length === given.length && timingSafeEqual(own, given);
  }

  /** Which attempt of the task this token belongs to, of those up to `newest`; null for a token of none. */
  attemptOf(token: string, project: string, task: string, newest: number): number | null {
    for (let attempt = newest; attempt >= 1; attempt--) {
      if (this.isOf(token, project, task, attempt)) return attempt;
    }
    return null;
  }
}
