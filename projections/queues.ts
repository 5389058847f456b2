/** The queues that are paused. Every other queue is open. */
import type { TypeAbout } from '../src/contracts/events/events.ts';
import { type Handlers, type KeptProjection, personOf, tableOf } from './projection.ts';

export interface PausedQueue {
  /** `agent:<id>` or `type:<name>`. */
  readonly queue: string;
  /** Epoch milliseconds at which it was paused. */
  readonly since: number;
  readonly by: string;
  /** null if none was given. */
  readonly reason: string | null;
}

export interface Queues {
  /** In the order in which they were paused. */
  readonly paused: Map<string, PausedQueue>;
}

const HANDLERS: Handlers<TypeAbout<'queue'>, Queues> = {
  'queue.paused': ({ paused }, { queue, reason = null }, { time, actor }) => {
    paused.set(queue, { queue, since: time, by: personOf(actor), reason });
  },
  'queue.resumed': ({ paused }, { queue }) => {
    paused.delete(queue);
  },
};
const TABLE = tableOf(HANDLERS);

export const queues: KeptProjection<Queues> = {
  name: 'queues',
  version: 1,
  initial: () => ({ paused: new Map() }),
  evolve: (state, record) => TABLE.get(record.event.type)?.(state, record.event, record),
  toJSON: ({ paused }) => [...paused.values()],
  forget: () => {},
  restore: (json) => ({ paused: new Map((json as PausedQueue[]).map((entry) => [entry.queue, entry])) }),
  *pieces({ paused }) {
    for (const [id, queue] of paused) yield ['queue', id, queue];
  },
};
