/**
 * The interface to the places in which agents work on a repository. It knows nothing about the log; `git-workspaces.ts`
 * implements it, a simulation has its own implementation. Every method may be repeated after a crash in the middle of it.
 */
import type { TaskRef } from '../contracts/ids.ts';
import type { ApprovalMode, DiffFacts } from '../contracts/workspaces.ts';

/** What a workspace of a task is made of, as `workspace.requested` records it. */
export interface WorkspacePlan {
  readonly repository: string;
  readonly path: string;
  /** The branch of the worktree; null for one that is detached. */
  readonly branch: string | null;
  /** The branch that the work is for; null if the base is no branch. */
  readonly target: string | null;
  /** The commit at which it begins. */
  readonly base: string;
}

/** A workspace that exists. */
export interface Worktree extends TaskRef, WorkspacePlan {
  /** The name of git's record of it. */
  readonly admin: string;
}

export interface PlanRequest extends TaskRef {
  readonly repository: string;
  /** A branch or another name of a commit. Default: the branch that the repository has checked out. */
  readonly base?: string | undefined;
  /** The name of the branch; null for a detached worktree. */
  readonly branch: string | null;
}

export interface SetUpRequest {
  readonly commands: readonly (readonly string[])[];
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string>>;
  /** Aborted if the attempt is to be stopped. */
  readonly signal: AbortSignal;
}

export interface SetUpStep {
  readonly command: readonly string[];
  readonly exit: string;
  readonly durationMs: number;
  /** The end of what it printed. */
  readonly output: string;
}

export interface SetUpReport {
  readonly steps: readonly SetUpStep[];
  /** Why it failed; null if all commands ended with 0. */
  readonly failure: string | null;
}

export interface SnapshotRequest {
  /** Names the snapshot: one for each attempt. */
  readonly attempt: number;
  readonly author: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** The state of a worktree as a commit, and how it differs from its base. */
export interface Diff extends DiffFacts {
  /** The patch, preceded by lines about what it does not contain. */
  readonly text: string;
}

export interface MergeRequest {
  readonly mode: ApprovalMode;
  /** The commit of the newest diff. */
  readonly commit: string;
  readonly message: string;
  readonly author: string;
  /** Epoch milliseconds of the approval. */
  readonly time: number;
}

export type MergeResult =
  | { readonly kind: 'merged'; readonly commit: string; readonly before: string }
  /** The agent has to resolve it. */
  | { readonly kind: 'conflict'; readonly reason: string }
  /** The agent can do nothing about it. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Why a workspace has to stay; null if nothing in it would be lost. */
export type KeepReason = string | null;

export interface Workspaces {
  /** @throws SignalboxError `spawn_failed` */
  plan(request: PlanRequest): Promise<WorkspacePlan>;
  /** @returns the name of git's record. @throws SignalboxError `spawn_failed` */
  create(ref: TaskRef, plan: WorkspacePlan): Promise<string>;
  /** Never rejects. Kills what an earlier run of it left. */
  setUp(worktree: Worktree, request: SetUpRequest): Promise<SetUpReport>;
  /** Removes the locks of processes that are gone; call it while no agent runs. Never rejects. */
  release(worktree: Worktree): Promise<void>;
  /** null if nothing differs from the base. @throws SignalboxError `internal` with what is in the way */
  takeDiff(worktree: Worktree, request: SnapshotRequest): Promise<Diff | null>;
  /** Never rejects. */
  merge(worktree: Worktree, request: MergeRequest): Promise<MergeResult>;
  /** Never rejects. */
  reasonToKeep(worktree: Worktree): Promise<KeepReason>;
  /**
   * Removes the workspace, and its branch if nothing is only there. Checks again that nothing would be lost, unless
   * `discard`. @returns why it stays; null if it is gone. Never rejects.
   */
  remove(worktree: Worktree, options: { readonly discard: boolean }): Promise<KeepReason>;
  /** Directories below the root of all workspaces. */
  list(): Promise<readonly (TaskRef & { readonly path: string })[]>;
}
