/**
 * A queue: the tasks for one agent, or those of one type. It comes into being when somebody pauses it for the first
 * time; a queue of which the log says nothing is open.
 *
 * K1 It says nothing of the tasks in it or of who takes them: pausing it moves none of them.
 */
import { setup } from 'xstate';
import type { DomainEvent } from '../src/contracts/events/events.ts';

/** Its state says it all. */
export type QueueContext = Readonly<Record<string, never>>;

export function openQueue(): QueueContext {
  return {};
}

const pause = { 'queue.paused': { target: 'paused' } } as const;

export const queueMachine = setup({
  types: { context: {} as QueueContext, events: {} as DomainEvent },
}).createMachine({
  id: 'queue',
  initial: 'new',
  context: {},
  states: {
    new: { on: pause },
    paused: { on: { 'queue.resumed': { target: 'open' } } },
    open: { on: pause },
  },
});
