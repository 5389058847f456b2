/**
 * A schedule creates a task at each of its times. The event that decides about a time names it, so each time is decided
 * once: a time up to `handledUntil` never counts again.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';

export interface ScheduleContext {
  /** Epoch milliseconds: every time up to here was decided, or does not count. */
  readonly handledUntil: number;
  /** Times that wait until the task before them is settled, in this order. */
  readonly buffer: readonly number[];
}

export function openSchedule(event: EventOf<'schedule.created'>): ScheduleContext {
  return { handledUntil: event.from_ms, buffer: [] };
}

const handles = {
  'schedule.fired': [
    { guard: 'isBuffered', actions: 'unbuffer' },
    { guard: 'isNew', actions: 'fire' },
  ],
  'schedule.skipped': { actions: 'skip' },
  'schedule.buffered': { actions: 'buffer' },
  'schedule.missed': { actions: 'miss' },
} as const;
const describe = { 'schedule.created': { target: 'active', actions: 'describe' } } as const;
const remove = { 'schedule.removed': { target: 'removed', actions: 'clear' } } as const;

export const scheduleMachine = setup({
  types: { context: {} as ScheduleContext, events: {} as EventMoving<'schedule'> },
  guards: {
    isBuffered: ({ context, event }) =>
      event.type === 'schedule.fired' &&
      event.cause === 'buffer' &&
      context.buffer.includes(event.nominal_ms),
    isTrigger: ({ event }) => event.type === 'schedule.fired' && event.cause === 'trigger',
    /** A trigger is not one of its times. */
    isNew: ({ context, event }) =>
      event.type === 'schedule.fired' &&
      event.cause !== 'buffer' &&
      (event.cause === 'trigger' || event.nominal_ms > context.handledUntil),
  },
  actions: {
    describe: assign(({ event }) =>
      event.type === 'schedule.created' ? { handledUntil: event.from_ms, buffer: [] } : {},
    ),
    fire: assign(({ event }) =>
      event.type === 'schedule.fired' && event.cause !== 'trigger' ? { handledUntil: event.nominal_ms } : {},
    ),
    unbuffer: assign(({ context, event }) =>
      event.type === 'schedule.fired'
        ? { buffer: context.buffer.filter((nominal) => nominal !== event.nominal_ms) }
        : {},
    ),
    skip: assign(({ context, event }) =>
      event.type === 'schedule.skipped'
        ? { handledUntil: Math.max(context.handledUntil, event.nominal_ms) }
        : {},
    ),
    buffer: assign(({ context, event }) =>
      event.type === 'schedule.buffered'
        ? {
            handledUntil: Math.max(context.handledUntil, ...event.nominals_ms),
            buffer: [...context.buffer, ...event.nominals_ms],
          }
        : {},
    ),
    miss: assign(({ context, event }) =>
      event.type === 'schedule.missed'
        ? { handledUntil: Math.max(context.handledUntil, event.until_ms) }
        : {},
    ),
    resume: assign(({ context, event }) =>
      event.type === 'schedule.resumed'
        ? { handledUntil: Math.max(context.handledUntil, event.from_ms) }
        : {},
    ),
    clear: assign({ buffer: [] }),
  },
}).createMachine({
  id: 'schedule',
  initial: 'new',
  context: { handledUntil: 0, buffer: [] },
  states: {
    new: { on: describe },
    active: {
      on: {
        ...handles,
        ...describe,
        ...remove,
        'schedule.paused': { target: 'paused' },
        'schedule.finished': { target: 'finished' },
      },
    },
    paused: {
      on: {
        // By hand only: no time counts while it is paused.
        'schedule.fired': { guard: 'isTrigger', actions: 'fire' },
        'schedule.buffered': { actions: 'buffer' },
        'schedule.created': { target: 'paused', actions: 'describe' },
        ...remove,
        'schedule.resumed': { target: 'active', actions: 'resume' },
      },
    },
    finished: { on: { ...describe, ...remove } },
    removed: { on: describe },
  },
});
