/**
 * Brings the work of a task into its target branch.
 *
 * The merge is made from commits, without a worktree. Before the branch moves, the merge is noted in a file of
 * Signalbox's own (refs can be written by agents): a repetition after a crash finds the note, looks whether the branch has
 * the merge, and brings a checkout of the branch up to date.
 */
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../base/errors.ts';
import { readJson, writeJson } from '../base/files.ts';
import { GitError } from './git.ts';
import type { Repository } from './repository.ts';
import type { MergeRequest, MergeResult, Worktree } from './workspaces.ts';

/** Lines of git's messages about a conflict that go to the agent. */
const MAX_LINES = 40;

const noteSchema = z.strictObject({
  merges: z.array(
    z.strictObject({
      /** The commit of the task. */
      source: z.string(),
      /** The commit on the target branch, and the one before it. */
      commit: z.string(),
      before: z.string(),
    }),
  ),
});
type Note = z.output<typeof noteSchema>['merges'][number];

/** The commits of a task that its target branch has by a merge. @param notes the file that notes its merges */
export async function mergedCommits(
  repository: Repository,
  { target }: Pick<Worktree, 'target'>,
  notes: string,
): Promise<string[]> {
  const merged: string[] = [];
  for (const note of await notesIn(notes))
    if (target !== null && (await isIn(repository, target, note))) merged.push(note.source);
  return merged;
}

async function notesIn(file: string): Promise<readonly Note[]> {
  return (await readJson(file, noteSchema))?.merges ?? [];
}

async function isIn(repository: Repository, target: string, { commit }: Note): Promise<boolean> {
  const at = await repository.commitOf(`refs/heads/${target}`);
  return at !== null && (await repository.isAncestor(commit, at));
}

/** Never rejects. */
export async function merge(
  repository: Repository,
  worktree: Pick<Worktree, 'target'>,
  request: MergeRequest,
  notes: string,
): Promise<MergeResult> {
  try {
    return await mergeOnce(repository, worktree, request, notes);
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

async function mergeOnce(
  repository: Repository,
  { target }: Pick<Worktree, 'target'>,
  { commit: source, mode, message, author, time }: MergeRequest,
  notes: string,
): Promise<MergeResult> {
  if (target === null) return { kind: 'failed', reason: 'its base is not a branch: set "base" to one' };
  const noted = await notesIn(notes);
  const done = noted.find((note) => note.source === source);
  if (done && (await isIn(repository, target, done))) return finish(repository, target, done);
  const before = await repository.commitOf(`refs/heads/${target}`);
  if (before === null) return { kind: 'failed', reason: `there is no branch ${target} any more` };
  if (await repository.isAncestor(source, before)) return { kind: 'merged', commit: before, before };
  const merged = await mergedTree(repository, before, source);
  if (merged.kind === 'conflict')
    return { kind: 'conflict', reason: conflictText(target, before, merged.messages) };
  const parents = mode === 'merge' ? [before, source] : [before];
  const commit = await repository.commit(merged.tree, parents, message, { author, time });
  const note = { source, commit, before };
  const checkout = await checkoutOf(repository, target);
  if (checkout !== null) await updateCheckout(repository, checkout, target, note, ['--dry-run']);
  await writeJson(notes, { merges: [...noted.filter((each) => each.source !== source), note] });
  const update = ['update-ref', '--create-reflog', '-m', 'signalbox: merge'];
  await repository.refs([...update, `refs/heads/${target}`, commit, before]);
  return finish(repository, target, note);
}

async function finish(repository: Repository, target: string, note: Note): Promise<MergeResult> {
  const { commit, before } = note;
  const checkout = await checkoutOf(repository, target);
  // If the branch has moved on since, its checkout has moved with it.
  if (checkout !== null && (await repository.commitOf(`refs/heads/${target}`)) === commit)
    await updateCheckout(repository, checkout, target, note);
  return { kind: 'merged', commit, before };
}

type MergedTree =
  | { readonly kind: 'clean'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly messages: string };

async function mergedTree(repository: Repository, ours: string, theirs: string): Promise<MergedTree> {
  const args = ['merge-tree', '--write-tree', '--name-only', '--messages', ours, theirs];
  const { code, stdout } = await repository
    .content(args, undefined, { okCodes: [0, 1] })
    .catch((error: unknown) => {
      if (error instanceof GitError && error.code === 129)
        throw new Error('merging needs git 2.38 or later: install it, or set on_approve to none');
      throw error;
    });
  if (code === 0) return { kind: 'clean', tree: stdout.split('\n')[0] ?? '' };
  // The tree, then the files with conflicts, an empty line, and the messages.
  return { kind: 'conflict', messages: stdout.slice(stdout.indexOf('\n\n') + 2) };
}

function conflictText(target: string, commit: string, messages: string): string {
  const lines = messages.split('\n').filter((line) => line.startsWith('CONFLICT'));
  const shown = lines.slice(0, MAX_LINES);
  const more = lines.length > MAX_LINES ? [`… and ${lines.length - MAX_LINES} more`] : [];
  return [
    `The work was approved, but it cannot be merged into ${target} (now at ${commit.slice(0, 12)}):`,
    ...shown,
    ...more,
    `Merge ${target} into your branch ("git merge ${target}"), resolve the conflicts, and commit.`,
  ].join('\n');
}

interface Checkout {
  readonly path: string;
  readonly index: string;
}

/**
 * The repository's own directory, if it has the branch checked out; null if it has not. Only that one is brought up to
 * date: what git says about other worktrees, agents can write. @throws Error if another worktree has the branch
 */
async function checkoutOf(repository: Repository, branch: string): Promise<Checkout | null> {
  const { common } = repository;
  const ref = `refs/heads/${branch}`;
  const own = basename(common) === '.git' ? dirname(common) : null;
  const head = await repository.refs(['symbolic-ref', '--quiet', 'HEAD'], { okCodes: [0, 1, 128] });
  if (own !== null && head.stdout.trim() === ref) return { path: own, index: join(common, 'index') };
  const other = (await repository.worktrees()).find((each) => each.branch === ref && each.path !== own);
  if (!other) return null;
  throw new Error(
    `${branch} is checked out in ${other.path}: switch it to another branch, and approve again`,
  );
}

/** Moves the files of a checkout to another commit; local changes to other files stay. @throws Error */
async function updateCheckout(
  repository: Repository,
  { path, index }: Checkout,
  branch: string,
  { before, commit }: Note,
  options: readonly string[] = [],
): Promise<void> {
  const place = { worktree: path, index };
  try {
    await repository.content(['update-index', '-q', '--refresh'], place, { okCodes: [0, 1] });
    await repository.content(['read-tree', '-m', '-u', ...options, before, commit], place);
  } catch (error) {
    throw new Error(
      `${branch} is checked out in ${path}, with changes of its own: ${messageOf(error)}. Commit or stash them, and approve again`,
    );
  }
}
