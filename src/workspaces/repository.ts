/**
 * A repository that the operator has named, seen in two ways.
 *
 * `refs` works on the repository itself, and only with commands that look at refs: its configuration may be written by
 * agents. `content` has the objects of the repository and a git directory of Signalbox's own, with a configuration that
 * names no filter, no driver and no hook: everything that reads or writes files of a worktree goes through it.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFresh } from '../base/regular-files.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { type GitCall, type GitResult, git } from './git.ts';

/** Who writes the commits that Signalbox makes. */
const COMMITTER = { name: 'Signalbox', email: 'signalbox@localhost' } as const;

export interface Place {
  readonly worktree: string;
  readonly index: string;
}

export interface Authorship {
  readonly author: string;
  /** Epoch milliseconds: the same commit again has the same id. */
  readonly time: number;
}

export class Repository {
  /** As the operator named it. */
  readonly path: string;
  /** The directory that all its worktrees share. */
  readonly common: string;
  readonly #own: string;
  readonly #programPath: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, common: string, own: string, programPath: string | undefined) {
    this.path = path;
    this.common = common;
    this.#own = own;
    this.#programPath = programPath;
  }

  /**
   * @param own a directory for Signalbox's view of it; created if it is missing
   * @throws SignalboxError `spawn_failed` if there is no repository
   */
  static async open(path: string, own: string, programPath: string | undefined): Promise<Repository> {
    const asked = ['--path-format=absolute', '--git-common-dir', '--show-object-format'];
    const call = { args: ['-C', path, 'rev-parse', ...asked], opened: { common: join(path, '.git') } };
    const answer = await git(call, programPath).catch((cause: unknown) => {
      if (cause instanceof SignalboxError) throw cause;
      const message = `workspace.repository ${path} cannot be used: ${messageOf(cause)}`;
      throw new SignalboxError('spawn_failed', message, { cause });
    });
    const [common = '', format = 'sha1'] = answer.stdout.trimEnd().split('\n');
    await mkdir(join(own, 'objects'), { recursive: true, mode: 0o700 });
    await mkdir(join(own, 'refs'), { recursive: true, mode: 0o700 });
    await writeFresh(join(own, 'HEAD'), 'ref: refs/heads/none\n');
    const version = format === 'sha1' ? '0' : `1\n[extensions]\n\tobjectFormat = ${format}`;
    await writeFresh(join(own, 'config'), `[core]\n\tbare = false\n\trepositoryformatversion = ${version}\n`);
    return new Repository(path, common, own, programPath);
  }

  /** Runs one piece of work after the other: git locks what it writes, and fails if it is locked. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => {});
    return next;
  }

  /** A command about refs and worktrees. @throws GitError */
  refs(args: readonly string[], call: Omit<GitCall, 'args'> = {}): Promise<GitResult> {
    const opened = { common: this.common };
    return git({ ...call, opened, args: [`--git-dir=${this.common}`, ...args] }, this.#programPath);
  }

  /** A command about objects, and about the files of a worktree if `place` is given. @throws GitError */
  async content(
    args: readonly string[],
    place?: Partial<Place>,
    call: Omit<GitCall, 'args'> = {},
  ): Promise<GitResult> {
    const shallow = join(this.common, 'shallow');
    const env = {
      GIT_DIR: this.#own,
      GIT_OBJECT_DIRECTORY: join(this.common, 'objects'),
      ...((await isFile(shallow)) && { GIT_SHALLOW_FILE: shallow }),
      ...(place?.worktree !== undefined && { GIT_WORK_TREE: place.worktree }),
      ...(place?.index !== undefined && { GIT_INDEX_FILE: place.index }),
      ...call.env,
    };
    // Attributes that name a driver find none in this configuration.
    const opened = {
      common: this.common,
      ...(place?.worktree !== undefined && { worktree: place.worktree }),
    };
    return git({ ...call, opened, args, env }, this.#programPath);
  }

  /** The commit of a ref; null if there is none. @throws GitError */
  async commitOf(ref: string): Promise<string | null> {
    const { code, stdout } = await this.refs(
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
      { okCodes: [0, 1, 128], timeoutMs: 20_000 },
    );
    return code === 0 ? stdout.trim() : null;
  }

  /** @throws GitError */
  async treeOf(commit: string): Promise<string> {
    return (await this.content(['rev-parse', '--verify', `${commit}^{tree}`])).stdout.trim();
  }

  /** The newest commit that both have; null if they have none in common. @throws GitError */
  async mergeBase(one: string, other: string): Promise<string | null> {
    const { code, stdout } = await this.content(['merge-base', one, other], undefined, { okCodes: [0, 1] });
    return code === 0 ? stdout.trim().split('\n')[0] || null : null;
  }

  /** Whether a commit is among the ancestors of another, or the same. @throws GitError */
  async isAncestor(commit: string, of: string): Promise<boolean> {
    const args = ['merge-base', '--is-ancestor', commit, of];
    return (await this.content(args, undefined, { okCodes: [0, 1] })).code === 0;
  }

  /** Makes a commit that belongs to no branch. @throws GitError */
  async commit(
    tree: string,
    parents: readonly string[],
    message: string,
    { author, time }: Authorship,
  ): Promise<string> {
    const date = `@${Math.floor(time / 1_000)} +0000`;
    const env = {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: COMMITTER.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: COMMITTER.name,
      GIT_COMMITTER_EMAIL: COMMITTER.email,
      GIT_COMMITTER_DATE: date,
    };
    const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent])];
    return (await this.content(args, undefined, { env, input: message })).stdout.trim();
  }

  /** The worktrees of the repository with the branch that each has checked out. @throws GitError */
  async worktrees(): Promise<{ readonly path: string; readonly branch: string | null }[]> {
    const { stdout } = await this.refs(['worktree', 'list', '--porcelain', '-z']);
    return stdout.split('\0\0').flatMap((entry) => {
      const lines = entry.split('\0');
      const path = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
      if (path === undefined || lines.includes('bare')) return [];
      const branch = lines.find((line) => line.startsWith('branch '))?.slice('branch '.length);
      return [{ path, branch: branch ?? null }];
    });
  }

  /** The names of git's records of worktrees. */
  async adminNames(): Promise<string[]> {
    return readdir(join(this.common, 'worktrees')).catch(() => []);
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
