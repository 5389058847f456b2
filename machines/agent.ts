/**
 * An agent: someone who takes tasks, with a number of slots.
 *
 * G1 Open attempts never exceed `concurrency` through a claim: a claim needs a free slot.
 * G2 A slot is free again by the end of its attempt and by nothing else, so none can leak.
 * G3 Only `idle` and `busy` take claims.
 */
import { assign, setup } from 'xstate';
import type { DomainEvent, EventOf } from '../src/contracts/events.ts';

export interface AgentContext {
  readonly concurrency: number;
  readonly running: number;
}

export function openAgent(event: EventOf<'agent.registered'>): AgentContext {
  return { concurrency: event.concurrency, running: 0 };
}

const release = { 'attempt.ended': { actions: 'release' } } as const;
const register = { 'agent.registered': { actions: 'configure' } } as const;
const pause = { 'agent.paused': { target: 'paused' } } as const;
const drain = { 'agent.drained': { target: 'draining' } } as const;
const retire = { 'agent.retired': { target: 'offline' } } as const;
const backToWork = [{ guard: 'hasRunning', target: 'busy' }, { target: 'idle' }] as const;

export const agentMachine = setup({
  types: { context: {} as AgentContext, events: {} as DomainEvent },
  guards: {
    hasFreeSlot: ({ context }) => context.running < context.concurrency,
    isLastRunning: ({ context }) => context.running === 1,
    hasRunning: ({ context }) => context.running > 0,
  },
  actions: {
    take: assign({ running: ({ context }) => context.running + 1 }),
    release: assign({ running: ({ context }) => context.running - 1 }),
    configure: assign(({ event }) =>
      event.type === 'agent.registered' ? { concurrency: event.concurrency } : {},
    ),
  },
}).createMachine({
  id: 'agent',
  initial: 'new',
  context: { concurrency: 1, running: 0 },
  states: {
    new: { on: { 'agent.registered': { target: 'idle' } } },
    idle: {
      on: {
        'task.claimed': { guard: 'hasFreeSlot', target: 'busy', actions: 'take' },
        ...register,
        ...pause,
        ...drain,
        ...retire,
      },
    },
    busy: {
      on: {
        'task.claimed': { guard: 'hasFreeSlot', actions: 'take' },
        'attempt.ended': [
          { guard: 'isLastRunning', target: 'idle', actions: 'release' },
          { actions: 'release' },
        ],
        ...register,
        ...pause,
        ...drain,
        ...retire,
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
        ...release,
      },
    },
  },
});
