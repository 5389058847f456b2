/** Workspaces of tasks: listing, reading, removing; and the diffs of tasks. */
import { join } from 'node:path';
import type { OutputView, WorkspaceView } from '../../../projections/index.ts';
import { readRegular } from '../../base/regular-files.ts';
import { parseDiff } from '../../base/text/unified-diff.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import type {
  DiffAnswer,
  PrunedWorkspaces,
  PruneWorkspaces,
  ReadDiff,
  RemovedWorkspace,
  RemoveWorkspace,
  WorkspaceAnswer,
} from '../../contracts/workspace-api.ts';
import type { DiffFacts } from '../../contracts/workspaces.ts';
import { type AppContext, deciderOf, findTask, type Readable } from '../context.ts';
import { whenRecorded } from '../events/follow.ts';
import { timeOf } from '../tasks/task-json.ts';

/** How long an answer waits for a removal. */
const REMOVAL_WAIT_MS = 10_000;
const MAX_DIFF_BYTES = 8 * 1_024 * 1_024;

export function listWorkspaces(app: AppContext): readonly WorkspaceAnswer[] {
  return [...app.state.projections.workspaces.byTask.values()].map(workspaceJson);
}

/** @throws SignalboxError `workspace_not_found` */
export function readWorkspace(app: AppContext, ref: TaskRef): WorkspaceAnswer {
  return workspaceJson(viewOf(app, ref));
}

/**
 * Removes the workspace of a settled task by name.
 * @throws SignalboxError `workspace_not_found`, `workspace_in_use`, `workspace_has_work`, and as a commit
 */
export async function removeWorkspace(
  app: AppContext,
  ref: TaskRef,
  { by, discard }: RemoveWorkspace,
  actor: string,
): Promise<RemovedWorkspace> {
  const decider = deciderOf({ by }, actor);
  app.log.assertWritable();
  await app.supervision.supervisor.workspaces.remove(ref, discard, decider);
  const now = (): WorkspaceView | undefined => app.state.projections.workspaces.byTask.get(taskKey(ref));
  await whenRecorded(app, () => now()?.state !== 'removing', REMOVAL_WAIT_MS);
  const left = now();
  return { removed: left === undefined, reason: left?.kept ?? null };
}

/**
 * Removes every workspace of a settled task in which nothing would be lost, whatever its `keep_days`.
 * @throws SignalboxError as a commit
 */
export async function pruneWorkspaces(
  app: AppContext,
  { by, dry_run }: PruneWorkspaces,
  actor: string,
): Promise<PrunedWorkspaces> {
  const decider = deciderOf({ by }, actor);
  const removed: TaskRef[] = [];
  const kept: (TaskRef & { reason: string })[] = [];
  const { workspaces } = app.supervision.supervisor;
  for (const { project, task } of [...app.state.projections.workspaces.byTask.values()]) {
    const ref = { project, task };
    try {
      if (dry_run) await workspaces.assertRemovable(ref, false);
      else await workspaces.remove(ref, false, decider);
      removed.push(ref);
    } catch (error) {
      if (!(error instanceof SignalboxError) || !KEPT.has(error.code)) throw error;
      kept.push({ ...ref, reason: error.message });
    }
  }
  return { dry_run, removed, kept };
}

const KEPT: ReadonlySet<string> = new Set(['workspace_in_use', 'workspace_has_work', 'workspace_not_found']);

/** The newest diff of a task, or of one of its attempts. @throws SignalboxError `task_not_found`, `diff_not_found` */
export async function readDiff(
  app: Readable,
  ref: TaskRef,
  { attempt, output: number }: ReadDiff,
): Promise<DiffAnswer> {
  const { outputs } = await findTask(app, ref);
  const found = outputs.findLast(
    (output): output is OutputView & { readonly diff: DiffFacts } =>
      output.diff !== undefined &&
      (attempt === undefined || output.attempt === attempt) &&
      (number === undefined || output.number === number),
  );
  if (!found) {
    const which = attempt === undefined ? '' : ` of attempt ${attempt}`;
    throw new SignalboxError('diff_not_found', `task ${ref.task} has no diff${which}`);
  }
  const { base, head, commit, insertions, deletions, files: file_count } = found.diff;
  const { notes, files } = parseDiff(await contentOf(app, found));
  return {
    output: found.number,
    attempt: found.attempt,
    agent: found.agent,
    time: timeOf(found.time),
    base,
    head,
    commit,
    insertions,
    deletions,
    file_count,
    files: files.map(({ oldPath, isBinary, ...file }) => ({ ...file, old_path: oldPath, binary: isBinary })),
    notes: [...notes],
  };
}

/** A large one is in a file of Signalbox's own. */
async function contentOf(
  { settings }: Pick<Readable, 'settings'>,
  { content, content_file }: OutputView,
): Promise<string> {
  if (!content_file) return content ?? '';
  const path = join(settings.directories.content, content_file.sha256);
  return (
    (await readRegular(path, MAX_DIFF_BYTES))?.toString() ?? '# its content is not in the data directory\n'
  );
}

function viewOf({ state }: AppContext, ref: TaskRef): WorkspaceView {
  const view = state.projections.workspaces.byTask.get(taskKey(ref));
  if (view) return view;
  throw new SignalboxError(
    'workspace_not_found',
    `task ${ref.task} in project ${ref.project} has no workspace`,
  );
}

function workspaceJson(view: WorkspaceView): WorkspaceAnswer {
  const { settledAt, keepMs, merged } = view;
  return {
    project: view.project,
    task: view.task,
    state: view.state,
    repository: view.repository,
    path: view.path,
    branch: view.branch,
    target: view.target,
    base: view.base,
    on_approve: view.onApprove,
    created_at: timeOf(view.createdAt),
    removed_at: timeOf(settledAt === null ? null : settledAt + keepMs),
    merged: merged && { source: merged.source, commit: merged.commit, time: timeOf(merged.time) },
    problem: view.problem,
    kept: view.kept,
  };
}
