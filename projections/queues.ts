/** The queues that are paused: since when, by whom, and why. Every other queue is open. */
import { unreachable } from '../src/contracts/errors.ts';
import type { KeptProjection } from './projection.ts';

export interface PausedQueue {
  /** `agent:<id>` or `type:<name>`. */
  readonly queue: string;
  /** Epoch milliseconds at which it was paused. */
  readonly since: number;
  readonly by: string;
  /** null where nobody gave one. */
  readonly reason: string | null;
}

export interface Queues {
  /** In the order in which they were paused. */
  readonly paused: Map<string, PausedQueue>;
}

export const queues: KeptProjection<Queues> = {
  name: 'queues',
  version: 1,
  initial: () => ({ paused: new Map() }),
  evolve({ paused }, { event, actor, time }) {
    if (!('queue' in event)) return;
    const { queue } = event;
    switch (event.type) {
      case 'queue.paused':
        paused.set(queue, {
          queue,
          since: time,
          by: actor.replace(/^user:/, ''),
          reason: event.reason ?? null,
        });
        return;
      case 'queue.resumed':
        paused.delete(queue);
        return;
      default:
        unreachable(event, 'queues');
    }
  },
  toJSON: ({ paused }) => [...paused.values()],
  forget: () => {},
  restore: (json) => ({ paused: new Map((json as PausedQueue[]).map((entry) => [entry.queue, entry])) }),
};
