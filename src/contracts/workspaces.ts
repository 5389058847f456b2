/** Workspaces: where the work of a task is, and what becomes of it. */
import { z } from 'zod';

export const APPROVAL_MODES = ['merge', 'squash'] as const;
/** What an approval does with the work: a merge commit, or one commit with all of it. */
export type ApprovalMode = (typeof APPROVAL_MODES)[number];

export const WORKSPACE_STATES = ['requested', 'created', 'ready', 'removing', 'removed'] as const;
export type WorkspaceState = (typeof WORKSPACE_STATES)[number];

/** What a diff says beside its text. */
export const diffFactsSchema = z.strictObject({
  /** The newest commit that the work and its target had in common. */
  base: z.string(),
  /** What the agent has committed. */
  head: z.string(),
  /** All of it, also what was not committed; the same as `head` if everything was. */
  commit: z.string(),
  files: z.int().min(0),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
  /** Files that are not in the commit: too large, or no files that git takes. */
  left_out: z.int().min(1).optional(),
  /** SHA-256 (hex) of the text. */
  sha256: z.string(),
});
export type DiffFacts = z.output<typeof diffFactsSchema>;
