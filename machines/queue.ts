/**
 * A queue holds the tasks for one agent, or those of one type. It exists from its first pause on; a queue that the log
 * does not mention is open. Pausing a queue moves none of its tasks.
 */
import { setup } from 'xstate';
import type { EventMoving } from '../src/contracts/events/events.ts';

/** A queue has nothing but its state. */
export type QueueContext = Readonly<Record<string, never>>;

export function openQueue(): QueueContext {
  return {};
}

const pause = { 'queue.paused': { target: 'paused' } } as const;

export const queueMachine = setup({
  types: { context: {} as QueueContext, events: {} as EventMoving<'queue'> },
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
