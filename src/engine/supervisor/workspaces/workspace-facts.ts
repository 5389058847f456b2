/** What follows from the workspace of a task: its worktree, its newest diff, what a review looks at, and an approval. */
import type { OutputView, Projections, TaskView, WorkspaceView } from '../../../../projections/index.ts';
import type { EventOf } from '../../../contracts/events/events.ts';
import { type TaskRef, taskKey } from '../../../contracts/ids.ts';
import type { DiffFacts } from '../../../contracts/workspaces.ts';
import type { Worktree } from '../../../workspaces/workspaces.ts';
import { taskOf } from '../../runtime/views.ts';

type Known = Pick<Projections, 'blackboard' | 'workspaces'>;
type DiffOutput = OutputView & { readonly diff: DiffFacts };

const isDiff = (output: OutputView): output is DiffOutput => output.diff !== undefined;

/** The worktree of a workspace that was made; null if there is none. */
export function worktreeOf(view: WorkspaceView | undefined): Worktree | null {
  if (view === undefined || view.admin === null || view.state === 'removing') return null;
  return { ...view, admin: view.admin };
}

/** The newest diff of a task. */
export function newestDiff({ outputs }: TaskView): DiffOutput | undefined {
  return outputs.findLast(isDiff);
}

/** The repository and the commit that a reviewing task looks at; null for any other task, and for work without a diff. */
export function diffToReview(
  projections: Known,
  ref: TaskRef,
): { readonly repository: string; readonly base: string } | null {
  const reviews = taskOf(projections, ref)?.spec.reviews;
  if (reviews === undefined) return null;
  const reviewed = { project: ref.project, task: reviews.task };
  const work = taskOf(projections, reviewed);
  const workspace = projections.workspaces.byTask.get(taskKey(reviewed));
  const diff = work && newestDiff(work);
  return workspace && diff ? { repository: workspace.repository, base: diff.diff.commit } : null;
}

/** The approval of a task, which merges its work first if that was configured. */
export function approvalOf(projections: Known, approval: EventOf<'task.approved'>): EventOf<'task.approved'> {
  const workspace = projections.workspaces.byTask.get(taskKey(approval));
  const task = taskOf(projections, approval);
  const mode = workspace?.onApprove ?? null;
  return mode === null || !task || !newestDiff(task) ? approval : { ...approval, merge: mode };
}

/**
 * The same for an approval that no person decides: null while the task is being merged, and after a merge that its agent
 * can do nothing about, which would fail again.
 */
export function ownApprovalOf(
  projections: Known,
  approval: EventOf<'task.approved'>,
): EventOf<'task.approved'> | null {
  const isStuck = projections.workspaces.byTask.get(taskKey(approval))?.isStuck ?? false;
  return isStuck || taskOf(projections, approval)?.merging ? null : approvalOf(projections, approval);
}

/** A branch for a task, of a template with `{project}` and `{task}`. */
export function branchFor(template: string, { project, task }: TaskRef): string {
  return template.replaceAll('{project}', project).replaceAll('{task}', task);
}
