/** The actor of a decision: the user that the request names, otherwise its sender. */
import type { Decision } from '../contracts/api/requests.ts';

export function deciderOf({ by }: Pick<Decision, 'by'>, actor: string): string {
  return by === undefined ? actor : `user:${by}`;
}
