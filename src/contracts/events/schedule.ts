/** The events of schedules. Times are epoch milliseconds. */
import { z } from 'zod';
import { FIRING_CAUSES, scheduleSpecSchema } from '../schedules.ts';
import { ADDRESS, event, REDACTED } from './event.ts';

const address = ADDRESS.schedule;
const reason = z.string().optional();
const time = z.int();

export const SCHEDULE_EVENTS = [
  /** Times up to `from_ms` do not count. */
  event({
    type: 'schedule.created',
    moves: ['schedule'],
    opens: 'schedule',
    data: {
      ...address,
      spec: scheduleSpecSchema,
      source: z.enum(['configuration', 'request']),
      from_ms: time,
    },
    text: (created) => ({
      ...created,
      spec: { ...created.spec, task: { ...created.spec.task, title: REDACTED, description: REDACTED } },
    }),
  }),
  /** Its task is created now, with the id `task_id`. */
  event({
    type: 'schedule.fired',
    moves: ['schedule'],
    data: { ...address, nominal_ms: time, cause: z.enum(FIRING_CAUSES), task_id: z.string() },
  }),
  /** No task is created for this time. */
  event({ type: 'schedule.skipped', moves: ['schedule'], data: { ...address, nominal_ms: time, reason } }),
  /** These times wait until the task before them is settled. */
  event({ type: 'schedule.buffered', moves: ['schedule'], data: { ...address, nominals_ms: z.array(time) } }),
  /** Times after `from_ms` and up to `until_ms` passed while nothing could be created, and are not made up for. */
  event({
    type: 'schedule.missed',
    moves: ['schedule'],
    data: { ...address, from_ms: time, until_ms: time, reason },
  }),
  event({ type: 'schedule.paused', moves: ['schedule'], data: { ...address, reason } }),
  /** Times up to `from_ms` do not count. */
  event({ type: 'schedule.resumed', moves: ['schedule'], data: { ...address, from_ms: time, reason } }),
  /** Its last time has passed. */
  event({ type: 'schedule.finished', moves: ['schedule'], data: address }),
  event({ type: 'schedule.removed', moves: ['schedule'], data: { ...address, reason } }),
] as const;
