/**
 * An agent takes tasks, and has a number of slots for them.
 *
 * A claim needs a free slot, so it never lets open attempts exceed `concurrency`. Only the end of an attempt frees its
 * slot. `idle` and `busy` accept claims, and `probing` accepts one.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';
import { isFailure } from '../src/contracts/tasks.ts';

export interface AgentContext {
  readonly concurrency: number;
  readonly running: number;
  /** Attempts in a row that failed. Outcomes that say nothing about the agent do not count. */
  readonly failures: number;
  /** Whether its newest attempt that says something about it, of those that ended since it was parked, completed. */
  readonly proven: boolean;
  /** How often in a row it was parked. */
  readonly parkings: number;
  /** Epoch milliseconds. */
  readonly parkedUntil: number | null;
}

export function openAgent(event: EventOf<'agent.registered'>): AgentContext {
  return {
    concurrency: event.concurrency,
    running: 0,
    failures: 0,
    proven: false,
    parkings: 0,
    parkedUntil: null,
  };
}

const release = { 'attempt.ended': { actions: ['release', 'count'] } } as const;
const register = { 'agent.registered': { actions: 'configure' } } as const;
const pause = { 'agent.paused': { target: 'paused' } } as const;
const drain = { 'agent.drained': { target: 'draining' } } as const;
const park = { 'agent.parked': { target: 'parked', actions: 'park' } } as const;
const leave = {
  'agent.retired': { target: 'offline' },
  'agent.disconnected': { target: 'offline' },
} as const;
/** It gets no tasks in these states, so it makes no difference whether its workers are connected. */
const retire = { 'agent.retired': { target: 'offline' } } as const;
const backToWork = [
  { guard: 'hasRunning', target: 'busy', actions: 'closeBreaker' },
  { target: 'idle', actions: 'closeBreaker' },
] as const;

export const agentMachine = setup({
  types: { context: {} as AgentContext, events: {} as EventMoving<'agent'> },
  guards: {
    hasFreeSlot: ({ context }) => context.running < context.concurrency,
    isLastRunning: ({ context }) => context.running === 1,
    hasRunning: ({ context }) => context.running > 0,
    isIdle: ({ context }) => context.running === 0,
  },
  actions: {
    take: assign({ running: ({ context }) => context.running + 1 }),
    release: assign({ running: ({ context }) => context.running - 1 }),
    count: assign(({ context, event }) => {
      if (event.type !== 'attempt.ended') return {};
      if (event.outcome === 'completed') return { failures: 0, proven: true };
      return isFailure(event.outcome) ? { failures: context.failures + 1, proven: false } : {};
    }),
    park: assign(({ context, event }) =>
      event.type === 'agent.parked'
        ? { proven: false, parkings: context.parkings + 1, parkedUntil: event.until_ms }
        : {},
    ),
    closeBreaker: assign({ failures: 0, proven: false, parkings: 0, parkedUntil: null }),
    configure: assign(({ event }) =>
      event.type === 'agent.registered' ? { concurrency: event.concurrency } : {},
    ),
  },
}).createMachine({
  id: 'agent',
  initial: 'new',
  context: { concurrency: 1, running: 0, failures: 0, proven: false, parkings: 0, parkedUntil: null },
  states: {
    new: { on: { 'agent.registered': { target: 'idle' } } },
    idle: {
      on: {
        'task.claimed': { guard: 'hasFreeSlot', target: 'busy', actions: 'take' },
        ...register,
        ...pause,
        ...drain,
        ...park,
        ...leave,
      },
    },
    busy: {
      on: {
        'task.claimed': { guard: 'hasFreeSlot', actions: 'take' },
        'attempt.ended': [
          { guard: 'isLastRunning', target: 'idle', actions: ['release', 'count'] },
          { actions: ['release', 'count'] },
        ],
        ...register,
        ...pause,
        ...drain,
        ...park,
        ...leave,
      },
    },
    parked: {
      on: {
        'agent.probed': { target: 'probing' },
        'agent.resumed': backToWork,
        ...release,
        ...register,
        ...pause,
        ...drain,
        ...leave,
      },
    },
    probing: {
      on: {
        'task.claimed': { guard: 'isIdle', actions: 'take' },
        'agent.unparked': backToWork,
        'agent.resumed': backToWork,
        ...release,
        ...register,
        ...pause,
        ...drain,
        ...park,
        ...leave,
      },
    },
    paused: {
      on: { 'agent.resumed': backToWork, ...release, ...register, ...drain, ...retire },
    },
    draining: {
      on: { 'agent.resumed': backToWork, ...release, ...register, ...pause, ...retire },
    },
    offline: {
      on: {
        'agent.registered': [
          { guard: 'hasRunning', target: 'busy', actions: 'configure' },
          { target: 'idle', actions: 'configure' },
        ],
        'agent.connected': [{ guard: 'hasRunning', target: 'busy' }, { target: 'idle' }],
        ...release,
      },
    },
  },
});
