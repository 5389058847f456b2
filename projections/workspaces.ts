/** The workspaces that exist. A workspace is here until it is removed, also when its task has left memory. */

import { type EventOf, REDACTED, type TypeAbout } from '../src/contracts/events/events.ts';
import { taskKey } from '../src/contracts/ids.ts';
import { SETTLED_STATES } from '../src/contracts/tasks.ts';
import type { ApprovalMode } from '../src/contracts/workspaces.ts';
import { type Draft, draftOf, type Handlers, type PastProjection, tableOf } from './projection.ts';

export interface WorkspaceView {
  readonly project: string;
  readonly task: string;
  /** `requested`, `created`, `ready`, `removing`. */
  readonly state: string;
  readonly repository: string;
  readonly path: string;
  /** null for a detached worktree: that of a review. */
  readonly branch: string | null;
  /** The branch that the work is for; null if there is none. */
  readonly target: string | null;
  readonly base: string;
  /** The name of git's record of it; null until it was made. */
  readonly admin: string | null;
  readonly onApprove: ApprovalMode | null;
  readonly keepMs: number;
  readonly createdAt: number;
  /** When its task was settled; null if it is not. */
  readonly settledAt: number | null;
  /** The newest merge of it; null if there was none. */
  readonly merged: { readonly source: string; readonly commit: string; readonly time: number } | null;
  /** Why it could not be set up or merged; null if that is not so. */
  readonly problem: string | null;
  /** The event whose text the problem is, if it may be redacted. */
  readonly problemSequence: number | null;
  /** Why it was not removed when its time was over; null if that is not so. */
  readonly kept: string | null;
  /** Whether the task was approved, and a person has to do something before it can be merged. */
  readonly isStuck: boolean;
  /** Whether its removal loses work that is nowhere else. */
  readonly discards: boolean;
}

export interface Workspaces {
  /** By task key, in the order in which they were requested. */
  readonly byTask: Map<string, WorkspaceView>;
}

type WorkspaceDraft = Draft<WorkspaceView>;
type Changing = Exclude<TypeAbout<'workspace'>, 'workspace.requested' | 'workspace.removed'>;

const HANDLERS: Handlers<Changing, WorkspaceDraft> = {
  'workspace.created': (next, { admin }) => {
    next.admin = admin;
  },
  'workspace.set_up': clear,
  'workspace.set_up_failed': (next, { error }) => {
    next.problem = error;
    next.problemSequence = null;
  },
  'workspace.merged': (next, { source, commit }, { time }) => {
    next.merged = { source, commit, time };
    clear(next);
  },
  'workspace.merge_failed': (next, { reason, goes_back }, { sequence }) => {
    next.problem = reason;
    next.problemSequence = sequence;
    next.isStuck = !goes_back;
  },
  'workspace.kept': (next, { reason }) => {
    next.kept = reason;
    next.discards = false;
  },
  'workspace.removal_requested': (next, { discard }) => {
    next.discards = discard;
    next.kept = null;
  },
};
const TABLE = tableOf(HANDLERS);

export const workspaces: PastProjection<Workspaces> = {
  name: 'workspaces',
  version: 2,
  initial: () => ({ byTask: new Map() }),
  evolve({ byTask }, record, entries = 'handed out') {
    const { event, transitions } = record;
    if (!('task' in event)) return;
    const key = taskKey(event);
    if (event.type === 'workspace.requested') byTask.set(key, viewOf(event, record.time));
    const known = byTask.get(key);
    if (!known) return;
    if (event.type === 'workspace.removed') return void byTask.delete(key);
    if (event.type === 'task.redacted') {
      if (event.sequence !== known.problemSequence) return;
      const redacted = draftOf(known, entries);
      redacted.problem = REDACTED;
      return void byTask.set(key, redacted);
    }
    const handle = TABLE.get(event.type);
    const moved = transitions.find(({ entity }) => entity === 'workspace');
    const task = transitions.find(({ entity }) => entity === 'task');
    if (handle === undefined && !task) return;
    const next = draftOf(known, entries);
    handle?.(next, event, record);
    if (moved) next.state = moved.to;
    if (task && task.to !== 'review') next.isStuck = false;
    if (task && !SETTLED_STATES.has(task.to)) next.kept = null;
    if (task) next.settledAt = SETTLED_STATES.has(task.to) ? (next.settledAt ?? record.time) : null;
    if (next !== known) byTask.set(key, next);
  },
  // It is there as long as the workspace is.
  forget: () => {},
  toJSON: ({ byTask }) => [...byTask],
  restore: (json) => ({ byTask: new Map(json as [string, WorkspaceView][]) }),
  *pieces({ byTask }) {
    for (const [task, view] of byTask) yield ['workspaces', task, view];
  },
  copy: ({ byTask }) => ({ byTask: new Map(byTask) }),
};

function clear(next: WorkspaceDraft): void {
  next.problem = null;
  next.problemSequence = null;
}

function viewOf(event: EventOf<'workspace.requested'>, time: number): WorkspaceView {
  return {
    project: event.project,
    task: event.task,
    state: 'requested',
    repository: event.repository,
    path: event.path,
    branch: event.branch,
    target: event.target,
    base: event.base,
    admin: null,
    onApprove: event.on_approve,
    keepMs: event.keep_ms,
    createdAt: time,
    settledAt: null,
    merged: null,
    problem: null,
    problemSequence: null,
    kept: null,
    isStuck: false,
    discards: false,
  };
}
