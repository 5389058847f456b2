/**
 * The state of a worktree as a commit, with everything that is not committed, and its diff.
 *
 * Files that an agent wrote are read by git alone, under its limits of time. What is too large or is no file (a FIFO, a
 * device, a repository of its own) is left out and named.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../base/hash.ts';
import type { Authorship, Place, Repository } from './repository.ts';
import type { Diff } from './workspaces.ts';

const MAX_FILE_BYTES = 64 * 1_024 * 1_024;
const MAX_ALL_BYTES = 1_024 * 1_024 * 1_024;
const MAX_PATHS = 50_000;
/** Bytes of a diff that are kept. */
const MAX_DIFF_BYTES = 1_048_576;
/** Files of which a diff names the size, and that it names as left out. */
const MAX_NAMED = 100;
const READING_MS = 300_000;
const LSTATS_AT_ONCE = 64;

export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface Snapshot {
  /** What the agent has committed. */
  readonly head: string;
  /** The commit of everything; the same as `head` if all is committed. */
  readonly commit: string;
  readonly leftOut: readonly LeftOut[];
}

/** @param head the commit that the worktree is at. @throws GitError */
export async function takeSnapshot(
  repository: Repository,
  place: Place,
  head: string,
  message: string,
  authorship: Authorship,
): Promise<Snapshot> {
  const leftOut = await noteFiles(repository, place);
  const tree = (await repository.content(['write-tree'], place)).stdout.trim();
  if (tree === (await repository.treeOf(head))) return { head, commit: head, leftOut };
  return { head, commit: await repository.commit(tree, [head], message, authorship), leftOut };
}

/** Brings Signalbox's own index of the worktree up to date. */
async function noteFiles(repository: Repository, place: Place): Promise<LeftOut[]> {
  const asked = ['--modified', '--deleted', '--others', '--exclude-per-directory=.gitignore'];
  const { stdout } = await repository.content(['ls-files', '-z', ...asked], place, { timeoutMs: READING_MS });
  const paths = [...new Set(stdout.split('\0').filter((path) => path !== ''))];
  const leftOut: LeftOut[] = [];
  const taken: string[] = [];
  let bytes = 0;
  for (let at = 0; at < paths.length; at += LSTATS_AT_ONCE) {
    const some = paths.slice(at, at + LSTATS_AT_ONCE);
    const kinds = await Promise.all(some.map((path) => kindOf(place.worktree, path)));
    for (const [index, path] of some.entries()) {
      const kind = kinds[index] ?? { bytes: 0, why: null };
      const why =
        kind.why ??
        (taken.length >= MAX_PATHS ? `more than ${MAX_PATHS} files have changed` : null) ??
        (bytes + kind.bytes > MAX_ALL_BYTES ? 'the changed files are too large together' : null);
      if (why !== null) {
        leftOut.push({ path, why });
        continue;
      }
      bytes += kind.bytes;
      taken.push(path);
    }
  }
  const input = taken.map((path) => `${path}\0`).join('');
  const update = ['update-index', '-z', '--add', '--remove', '--replace', '--stdin'];
  if (taken.length > 0) await repository.content(update, place, { input, timeoutMs: READING_MS });
  return leftOut;
}

async function kindOf(
  worktree: string,
  path: string,
): Promise<{ readonly bytes: number; readonly why: string | null }> {
  if (path.endsWith('/')) return { bytes: 0, why: 'it is a repository of its own' };
  const found = await lstat(join(worktree, path)).catch(() => null);
  if (found === null || found.isSymbolicLink() || found.isDirectory()) return { bytes: 0, why: null };
  if (!found.isFile()) return { bytes: 0, why: 'it is not a file' };
  if (found.size > MAX_FILE_BYTES)
    return { bytes: 0, why: `${found.size} bytes, more than ${MAX_FILE_BYTES} are not recorded` };
  return { bytes: found.size, why: null };
}

interface FileChange {
  readonly path: string;
  readonly insertions: number;
  readonly deletions: number;
  readonly isBinary: boolean;
}

const PLAIN = ['-r', '-M', '--no-ext-diff', '--no-textconv', '--no-color', '--submodule=short'];

/** How the snapshot differs from `base`; null if it does not, and nothing was left out. @throws GitError */
export async function diffOf(
  repository: Repository,
  base: string,
  { head, commit, leftOut }: Snapshot,
): Promise<Diff | null> {
  const numbers = await repository.content(['diff-tree', ...PLAIN, '--numstat', '-z', base, commit]);
  const changes = changesIn(numbers.stdout);
  if (changes.length === 0 && leftOut.length === 0) return null;
  const patch = await repository.content(['diff-tree', ...PLAIN, '-p', base, commit], undefined, {
    maxBytes: MAX_DIFF_BYTES,
    mayCut: true,
  });
  const binary = changes.filter(({ isBinary }) => isBinary).slice(0, MAX_NAMED);
  const notes = [
    ...(await sizesOf(repository, commit, binary)),
    ...leftOut.slice(0, MAX_NAMED).map(({ path, why }) => `left out: ${JSON.stringify(path)} (${why})`),
    ...(leftOut.length > MAX_NAMED ? [`left out: ${leftOut.length - MAX_NAMED} more files`] : []),
    ...(patch.isCut
      ? [`cut: the diff is larger than ${MAX_DIFF_BYTES} bytes; commit ${commit} has all of it`]
      : []),
  ];
  const body = patch.isCut ? wholeFiles(patch.stdout) : patch.stdout;
  const text = `${notes.map((note) => `# ${note}\n`).join('')}${body}`;
  const sum = (key: 'insertions' | 'deletions'): number => changes.reduce((all, each) => all + each[key], 0);
  return {
    base,
    head,
    commit,
    files: changes.length,
    insertions: sum('insertions'),
    deletions: sum('deletions'),
    ...(leftOut.length > 0 && { left_out: leftOut.length }),
    sha256: sha256(text),
    text,
  };
}

/** Reads `--numstat -z`: for a rename the path is empty and both paths follow. */
function changesIn(text: string): FileChange[] {
  const fields = text.split('\0');
  const changes: FileChange[] = [];
  for (let at = 0; at < fields.length; at++) {
    const match = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(fields[at] ?? '');
    if (!match) continue;
    const [, added = '', removed = '', name = ''] = match;
    if (name === '') at += 2;
    const path = name === '' ? (fields[at] ?? '') : name;
    const isBinary = added === '-';
    changes.push({
      path,
      isBinary,
      insertions: isBinary ? 0 : Number(added),
      deletions: isBinary ? 0 : Number(removed),
    });
  }
  return changes;
}

/** The sizes of binary files, of which a patch says only that they differ. */
async function sizesOf(
  repository: Repository,
  commit: string,
  files: readonly FileChange[],
): Promise<string[]> {
  // A line for each: a path with a line break cannot be asked for.
  const asked = files.filter(({ path }) => !path.includes('\n'));
  if (asked.length === 0) return [];
  const input = asked.map(({ path }) => `${commit}:${path}\n`).join('');
  const { stdout } = await repository.content(['cat-file', '--batch-check=%(objectsize)'], undefined, {
    input,
  });
  const sizes = stdout.trimEnd().split('\n');
  return asked.map(({ path }, index) => {
    const size = /^\d+$/.test(sizes[index] ?? '') ? `${sizes[index]} bytes` : 'removed';
    return `binary: ${JSON.stringify(path)} (${size})`;
  });
}

/** Without the file in which a diff was cut. */
function wholeFiles(patch: string): string {
  const last = patch.lastIndexOf('\ndiff --git ');
  return last < 0 ? '' : patch.slice(0, last + 1);
}
