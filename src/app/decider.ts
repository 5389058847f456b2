import type { Decision } from '../contracts/api/requests.ts';

/** The actor of a decision: whom the request names, else who sent it. */
export function deciderOf({ by }: Pick<Decision, 'by'>, actor: string): string {
  return by === undefined ? actor : `user:${by}`;
}
