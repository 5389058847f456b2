/**
 * The supervisor: one writer at a time, from its `supervisor.started` to its stop.
 *
 * A checkpoint is signed with the key that was introduced last, and covers events after the previous checkpoint. A key
 * that names the key that vouches for it has to name the one in use. A key that names none starts a new chain: whether
 * it can be trusted is for the auditor to decide.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';

export interface SupervisorContext {
  /** The id of the current writer. */
  readonly writer: string;
  /** How many writers this log has had. */
  readonly epoch: number;
  /** Fingerprint of the key that signs checkpoints; null before the first. */
  readonly key: string | null;
  /** The last event that a checkpoint covers; 0 before the first checkpoint. */
  readonly checkpoint: number;
}

export function openSupervisor({ writer }: EventOf<'supervisor.started'>): SupervisorContext {
  return { writer, epoch: 0, key: null, checkpoint: 0 };
}

const start = { 'supervisor.started': { target: 'running', actions: 'takeOver', reenter: true } } as const;
const sign = {
  'supervisor.key_introduced': { guard: 'isVouchedFor', actions: 'noteKey' },
  'supervisor.checkpointed': { guard: 'isNextCheckpoint', actions: 'noteCheckpoint' },
} as const;

export const supervisorMachine = setup({
  types: { context: {} as SupervisorContext, events: {} as EventMoving<'supervisor'> },
  guards: {
    isVouchedFor: ({ context, event }) =>
      event.type === 'supervisor.key_introduced' &&
      (event.signed_by === undefined || event.signed_by === context.key),
    isNextCheckpoint: ({ context, event }) =>
      event.type === 'supervisor.checkpointed' &&
      event.key === context.key &&
      event.from > context.checkpoint &&
      event.sequence >= event.from,
  },
  actions: {
    noteKey: assign(({ event }) => (event.type === 'supervisor.key_introduced' ? { key: event.key } : {})),
    noteCheckpoint: assign(({ event }) =>
      event.type === 'supervisor.checkpointed' ? { checkpoint: event.sequence } : {},
    ),
    takeOver: assign(({ context, event }) =>
      event.type === 'supervisor.started' ? { writer: event.writer, epoch: context.epoch + 1 } : {},
    ),
  },
}).createMachine({
  id: 'supervisor',
  initial: 'new',
  context: { writer: '', epoch: 0, key: null, checkpoint: 0 },
  states: {
    new: { on: start },
    running: {
      on: {
        'supervisor.draining': { target: 'draining' },
        'supervisor.stopped': { target: 'stopped' },
        ...sign,
        ...start,
      },
    },
    draining: { on: { 'supervisor.stopped': { target: 'stopped' }, ...sign, ...start } },
    stopped: { on: start },
  },
});
