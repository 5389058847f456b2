/** Makes and removes the worktree of a task. What is there is never trusted: git's record of it is found by its name. */
import { spawn } from 'node:child_process';
import { copyFile, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readRegular } from '../base/regular-files.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { Place, Repository } from './repository.ts';
import type { WorkspacePlan, Worktree } from './workspaces.ts';

const MAX_POINTER_BYTES = 8_192;
const REMOVAL_MS = 120_000;
const NO_COMMIT = /^0+$/;

/** git's record of a worktree, below the directory that all of them share. */
export function adminOf({ common }: Repository, { admin }: Pick<Worktree, 'admin'>): string {
  return join(common, 'worktrees', admin);
}

/**
 * Makes the branch and the worktree, and checks out its files. Whatever is at the path is removed: no agent has worked
 * there yet. @returns the name of git's record. @throws GitError, SignalboxError
 */
export async function createWorktree(
  repository: Repository,
  plan: WorkspacePlan,
  index: string,
): Promise<string> {
  const { path, branch, base } = plan;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (const name of await repository.adminNames())
    if ((await pathOf(repository, name)) === path)
      await removeTree(join(repository.common, 'worktrees', name));
  await removeTree(path);
  if (branch !== null) await createBranch(repository, branch, base);
  const place = branch === null ? ['--detach', path, base] : [path, branch];
  await repository.refs(['worktree', 'add', '--quiet', '--no-checkout', ...place]);
  const admin = await findAdmin(repository, path);
  await checkOut(repository, { worktree: path, index }, base);
  const own = join(adminOf(repository, { admin }), 'index');
  await copyFile(index, `${own}.new`);
  await rename(`${own}.new`, own);
  return admin;
}

async function createBranch(repository: Repository, branch: string, base: string): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const there = await repository.commitOf(ref);
  if (there === base) return;
  if (there !== null)
    throw new SignalboxError('spawn_failed', `branch ${branch} exists already, at ${there.slice(0, 12)}`);
  await repository.refs(['update-ref', '--create-reflog', ref, base, '0'.repeat(base.length)]);
}

/** The files of a commit, without the filters of the repository. */
async function checkOut(repository: Repository, place: Place, commit: string): Promise<void> {
  await mkdir(dirname(place.index), { recursive: true, mode: 0o700 });
  await rm(place.index, { force: true });
  await rm(`${place.index}.lock`, { force: true });
  await repository.content(['read-tree', '-u', '--reset', commit], place, { timeoutMs: 600_000 });
}

/** Reads what git has just written: no agent was there. */
async function findAdmin(repository: Repository, path: string): Promise<string> {
  const pointer = (await readRegular(join(path, '.git'), MAX_POINTER_BYTES))?.toString() ?? '';
  const admin = basename(pointer.replace(/^gitdir: /, '').trim());
  if (admin !== '' && (await pathOf(repository, admin)) === path) return admin;
  throw new SignalboxError('internal', `git has no record of the worktree ${path}`);
}

/** The worktree that a record of git is about; null if it does not say. */
async function pathOf({ common }: Repository, name: string): Promise<string | null> {
  const file = join(common, 'worktrees', name, 'gitdir');
  const text = await readRegular(file, MAX_POINTER_BYTES).catch(() => null);
  return text === null ? null : dirname(text.toString().trim());
}

/** Locks that a killed git has left. */
export async function releaseLocks(repository: Repository, worktree: Worktree): Promise<void> {
  const admin = adminOf(repository, worktree);
  const locks = [join(admin, 'index.lock'), join(admin, 'HEAD.lock')];
  if (worktree.branch !== null) locks.push(join(repository.common, 'refs/heads', `${worktree.branch}.lock`));
  for (const lock of locks) await rm(lock, { force: true }).catch(() => {});
}

/** Where a worktree is while it is removed: what was begun is finished at the next start. */
export function goingPathOf(path: string): string {
  return join(dirname(path), `.removing-${basename(path)}`);
}

/** Removes the directory and git's record of it. @throws errors of the system */
export async function removeWorktree(repository: Repository, worktree: Worktree): Promise<void> {
  const { path, admin } = worktree;
  const going = goingPathOf(path);
  if (await exists(path)) {
    await removeTree(going);
    await rename(path, going);
  }
  await removeTree(going);
  if ((await pathOf(repository, admin)) === path) await removeTree(adminOf(repository, worktree));
}

/** @param at where the branch has to be */
export async function removeBranch(repository: Repository, branch: string, at: string): Promise<void> {
  if (NO_COMMIT.test(at)) return;
  await repository.refs(['update-ref', '-d', `refs/heads/${branch}`, at]);
}

export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

/** Removes a directory, also one whose owner has taken the rights from itself. @throws Error */
async function removeTree(path: string): Promise<void> {
  if (!(await exists(path))) return;
  const isGone = async (): Promise<boolean> => {
    await run(['rm', '-rf', '--', path]).catch(() => {});
    return !(await exists(path));
  };
  if (await isGone()) return;
  await run(['chmod', '-R', 'u+rwX', '--', path]).catch(() => {});
  if (!(await isGone())) throw new Error(`${path} cannot be removed`);
}

/** A program of its own: a deep or huge directory must not occupy the threads of this process. */
function run([program = '', ...args]: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: '/',
      stdio: 'ignore',
      timeout: REMOVAL_MS,
      killSignal: 'SIGKILL',
    });
    child.on('error', (error) => reject(new Error(messageOf(error))));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${code}`))));
  });
}
