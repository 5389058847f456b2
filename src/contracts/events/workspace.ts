/** The events of workspaces: a workspace belongs to one task, and outlives its attempts. */
import { z } from 'zod';
import { APPROVAL_MODES } from '../workspaces.ts';
import { ADDRESS, event } from './event.ts';

const { task } = ADDRESS;

export const WORKSPACE_EVENTS = [
  /** What is going to be made. */
  event({
    type: 'workspace.requested',
    moves: ['workspace'],
    opens: 'workspace',
    data: {
      ...task,
      repository: z.string(),
      path: z.string(),
      /** null for a detached worktree: that of a review. */
      branch: z.string().nullable(),
      /** The branch that the work is for; null if there is none. */
      target: z.string().nullable(),
      /** The commit at which it begins. */
      base: z.string(),
      /** What an approval does with the work; null: nothing. */
      on_approve: z.enum(APPROVAL_MODES).nullable(),
      /** Milliseconds from the end of the task until it is removed. */
      keep_ms: z.int().min(0),
    },
  }),
  event({
    type: 'workspace.created',
    moves: ['workspace'],
    data: {
      ...task,
      /** The name of git's record of it. */
      admin: z.string(),
    },
  }),
  /** Its commands have run: agents may work in it. */
  event({
    type: 'workspace.set_up',
    moves: ['workspace'],
    data: { ...task, commands: z.int().min(0), duration_ms: z.int().min(0) },
  }),
  event({
    type: 'workspace.set_up_failed',
    moves: ['workspace'],
    text: ['output'],
    data: {
      ...task,
      error: z.string(),
      /** The end of what the command printed. */
      output: z.string().optional(),
    },
  }),
  /** The work of an approved task is in its target branch: the task is done. */
  event({
    type: 'workspace.merged',
    moves: ['task', 'workspace'],
    data: {
      ...task,
      target: z.string(),
      /** The commit of the diff that was approved. */
      source: z.string(),
      /** The target branch before and after. */
      before: z.string(),
      commit: z.string(),
    },
  }),
  /** The work of an approved task could not be merged: the approval does not count. */
  event({
    type: 'workspace.merge_failed',
    moves: ['task', 'workspace'],
    text: ['reason'],
    data: {
      ...task,
      reason: z.string(),
      /** Whether its agent has to resolve it; otherwise the task stays in review. */
      goes_back: z.boolean(),
    },
  }),
  /** It was to be removed, and has work in it that is nowhere else. */
  event({ type: 'workspace.kept', moves: ['workspace'], data: { ...task, reason: z.string() } }),
  event({
    type: 'workspace.removal_requested',
    moves: ['workspace'],
    data: {
      ...task,
      /** Whether work that is nowhere else is lost with it. */
      discard: z.boolean(),
    },
  }),
  event({ type: 'workspace.removed', moves: ['workspace'], data: task }),
] as const;
