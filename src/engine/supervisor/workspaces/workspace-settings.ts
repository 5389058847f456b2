/** How the workspaces of an agent's tasks are made, as its configuration says. */
import type { ApprovalMode } from '../../../contracts/workspaces.ts';

export interface WorkspaceSettings {
  /** An absolute path. */
  readonly repository: string;
  /** A branch or another name of a commit; undefined: the branch that the repository has checked out. */
  readonly base: string | undefined;
  /** With `{project}` and `{task}`. */
  readonly branch: string;
  readonly setUp: readonly (readonly string[])[];
  readonly setUpTimeoutMs: number;
  /** The environment of the commands. */
  readonly env: Readonly<Record<string, string>>;
  /** What an approval does with the work; null: nothing. */
  readonly onApprove: ApprovalMode | null;
  /** Milliseconds from the end of a task until its workspace is removed. */
  readonly keepMs: number;
}
