/**
 * The supervisor itself: one writer at a time, from its epoch event to its stop.
 *
 * S1 Every writer's first event is `supervisor.started`; whatever stands before it was written by another.
 */
import { assign, setup } from 'xstate';
import type { DomainEvent } from '../src/contracts/events.ts';

export interface SupervisorContext {
  /** The id of the writer in charge. */
  readonly writer: string;
  /** How many writers this log has had. */
  readonly epoch: number;
}

const start = { 'supervisor.started': { target: 'running', actions: 'takeOver', reenter: true } } as const;

export const supervisorMachine = setup({
  types: { context: {} as SupervisorContext, events: {} as DomainEvent },
  actions: {
    takeOver: assign(({ context, event }) =>
      event.type === 'supervisor.started' ? { writer: event.writer, epoch: context.epoch + 1 } : {},
    ),
  },
}).createMachine({
  id: 'supervisor',
  initial: 'new',
  context: { writer: '', epoch: 0 },
  states: {
    new: { on: start },
    running: {
      on: {
        'supervisor.draining': { target: 'draining' },
        'supervisor.stopped': { target: 'stopped' },
        ...start,
      },
    },
    draining: { on: { 'supervisor.stopped': { target: 'stopped' }, ...start } },
    stopped: { on: start },
  },
});
