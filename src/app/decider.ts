import type { Decision } from '../contracts/api/requests.ts';

/** The actor of a decision: the one that the request names, otherwise its sender. */
export function deciderOf({ by }: Pick<Decision, 'by'>, actor: string): string {
  return by === undefined ? actor : `user:${by}`;
}
