/**
 * The workspace of a task: requested, made, set up, and removed when nothing in it would be lost. Agents work in it only
 * while it is `ready`, and nothing is removed that was not `removing` first.
 */
import { assign, setup } from 'xstate';
import type { EventMoving, EventOf } from '../src/contracts/events/events.ts';

export interface WorkspaceContext {
  /** Whether its set-up has succeeded. */
  readonly isSetUp: boolean;
  /** Whether a removal loses work that is nowhere else. */
  readonly discards: boolean;
}

export function openWorkspace(_event: EventOf<'workspace.requested'>): WorkspaceContext {
  return { isSetUp: false, discards: false };
}

const remove = { 'workspace.removal_requested': { target: 'removing', actions: 'noteDiscard' } } as const;

export const workspaceMachine = setup({
  types: { context: {} as WorkspaceContext, events: {} as EventMoving<'workspace'> },
  guards: { isSetUp: ({ context }) => context.isSetUp },
  actions: {
    noteSetUp: assign({ isSetUp: true }),
    noteDiscard: assign(({ event }) =>
      event.type === 'workspace.removal_requested' ? { discards: event.discard } : {},
    ),
    keep: assign({ discards: false }),
    begin: assign({ isSetUp: false, discards: false }),
  },
}).createMachine({
  id: 'workspace',
  initial: 'new',
  context: { isSetUp: false, discards: false },
  states: {
    new: { on: { 'workspace.requested': { target: 'requested' } } },
    requested: { on: { 'workspace.created': { target: 'created' }, ...remove } },
    created: {
      on: {
        'workspace.set_up': { target: 'ready', actions: 'noteSetUp' },
        'workspace.set_up_failed': { actions: 'keep' },
        ...remove,
      },
    },
    ready: {
      on: {
        'workspace.merged': { actions: 'keep' },
        'workspace.merge_failed': { actions: 'keep' },
        'workspace.kept': { actions: 'keep' },
        ...remove,
      },
    },
    removing: {
      on: {
        'workspace.removed': { target: 'removed' },
        'workspace.kept': [
          { guard: 'isSetUp', target: 'ready', actions: 'keep' },
          { target: 'created', actions: 'keep' },
        ],
      },
    },
    // The task was given another chance.
    removed: { on: { 'workspace.requested': { target: 'requested', actions: 'begin' } } },
  },
});
