/** Requests and answers about workspaces and diffs. */
import { z } from 'zod';
import { FILE_CHANGES } from '../base/text/unified-diff.ts';
import { decisionSchema } from './api/requests.ts';
import { count, digits, time } from './fields.ts';
import { APPROVAL_MODES } from './workspaces.ts';

export const workspaceAnswerSchema = z.strictObject({
  project: z.string(),
  task: z.string(),
  /** `requested`, `created`, `ready` or `removing`. */
  state: z.string(),
  repository: z.string(),
  path: z.string(),
  /** null for the detached worktree of a review. */
  branch: z.string().nullable(),
  /** The branch that the work is for. */
  target: z.string().nullable(),
  /** The commit at which it began. */
  base: z.string(),
  on_approve: z.enum(APPROVAL_MODES).nullable(),
  created_at: time,
  /** When it is removed, if nothing would be lost; null while its task is not settled. */
  removed_at: time.nullable(),
  /** Its newest merge into the target. */
  merged: z.strictObject({ source: z.string(), commit: z.string(), time }).nullable(),
  /** Why it could not be set up or merged. */
  problem: z.string().nullable(),
  /** Why it was not removed when its time was over. */
  kept: z.string().nullable(),
});
export type WorkspaceAnswer = z.output<typeof workspaceAnswerSchema>;

export const workspaceListSchema = z.strictObject({ workspaces: z.array(workspaceAnswerSchema) });

export const removeWorkspaceSchema = decisionSchema.pick({ by: true }).extend({
  discard: z
    .boolean()
    .default(false)
    .describe('Also if it has work that is nowhere else: what is not committed is lost.'),
});
export type RemoveWorkspace = z.output<typeof removeWorkspaceSchema>;

export const removedWorkspaceSchema = z.strictObject({
  /** Whether it is gone; otherwise it is being removed, or why not is said. */
  removed: z.boolean(),
  reason: z.string().nullable(),
});
export type RemovedWorkspace = z.output<typeof removedWorkspaceSchema>;

export const pruneWorkspacesSchema = decisionSchema.pick({ by: true }).extend({
  dry_run: z.boolean().default(false).describe('Only says what would be removed.'),
});
export type PruneWorkspaces = z.output<typeof pruneWorkspacesSchema>;

export const prunedWorkspacesSchema = z.strictObject({
  dry_run: z.boolean(),
  removed: z.array(z.strictObject({ project: z.string(), task: z.string() })),
  kept: z.array(z.strictObject({ project: z.string(), task: z.string(), reason: z.string() })),
});
export type PrunedWorkspaces = z.output<typeof prunedWorkspacesSchema>;

export const readDiffSchema = z.strictObject({
  attempt: digits(1).optional().describe('The newest diff of this attempt. Default: of all.'),
  output: digits(1).optional().describe('The diff that is this output.'),
});
export type ReadDiff = z.output<typeof readDiffSchema>;

export const diffAnswerSchema = z.strictObject({
  /** The number of the output, and its attempt. */
  output: count,
  attempt: z.int().nullable(),
  agent: z.string(),
  time,
  /** The commit that it is compared with, what the agent has committed, and all of it. */
  base: z.string(),
  head: z.string(),
  commit: z.string(),
  insertions: count,
  deletions: count,
  /** Files that have changed, also those that are not in the list because the diff was cut. */
  file_count: count,
  files: z.array(
    z.strictObject({
      path: z.string(),
      old_path: z.string().nullable(),
      change: z.enum(FILE_CHANGES),
      insertions: count,
      deletions: count,
      binary: z.boolean(),
      /** Its hunks, as git prints them. */
      patch: z.string(),
    }),
  ),
  /** What is said about it: sizes of binary files, what was left out, whether it was cut. */
  notes: z.array(z.string()),
});
export type DiffAnswer = z.output<typeof diffAnswerSchema>;
