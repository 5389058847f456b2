/** The events of queues. */
import { z } from 'zod';
import { ADDRESS, event } from './event.ts';

const data = { ...ADDRESS.queue, reason: z.string().optional() };

export const QUEUE_EVENTS = [
  /** From here on no task of the queue is assigned. */
  event({ type: 'queue.paused', moves: ['queue'], opens: 'queue', data }),
  event({ type: 'queue.resumed', moves: ['queue'], data }),
] as const;
