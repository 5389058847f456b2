/** Workspaces as worktrees of git. */
import { lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variables } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { ID_PATTERN, type TaskRef, taskKey } from '../contracts/ids.ts';
import type { ProcessRunner } from '../process/runner.ts';
import { merge, mergedCommits } from './merge.ts';
import { Repository } from './repository.ts';
import { setUp } from './set-up.ts';
import { diffOf, type Snapshot, takeSnapshot } from './snapshot.ts';
import type {
  Diff,
  KeepReason,
  MergeRequest,
  MergeResult,
  PlanRequest,
  SetUpReport,
  SetUpRequest,
  SnapshotRequest,
  WorkspacePlan,
  Workspaces,
  Worktree,
} from './workspaces.ts';
import { createWorktree, exists, releaseLocks, removeBranch, removeWorktree } from './worktree.ts';

export interface GitWorkspacesOptions {
  /** `workspaces` in the data directory. */
  readonly directory: string;
  readonly runner: ProcessRunner;
  readonly installation: string;
  /** Signalbox's own environment: git is looked up in its PATH. */
  readonly env: Variables;
  readonly randomId: () => string;
}

/** Branches of one task that are tried, if there is one with its name already. */
const MAX_BRANCHES = 20;
/** Files that a reason names. */
const MAX_NAMED = 3;

export class GitWorkspaces implements Workspaces {
  readonly #options: GitWorkspacesOptions;
  readonly #repositories = new Map<string, Promise<Repository>>();

  constructor(options: GitWorkspacesOptions) {
    this.#options = options;
  }

  async plan(request: PlanRequest): Promise<WorkspacePlan> {
    const { repository: path, branch } = request;
    const repository = await this.#open(path);
    try {
      const { target, base } = await this.#baseOf(repository, request.base);
      return {
        repository: path,
        path: join(await this.#root(), request.project, request.task),
        branch: branch === null ? null : await this.#freeBranch(repository, branch),
        target: branch === null ? null : target,
        base,
      };
    } catch (error) {
      throw failed(`the workspace of task ${request.task} cannot be planned`, error);
    }
  }

  async create(ref: TaskRef, plan: WorkspacePlan): Promise<string> {
    const repository = await this.#open(plan.repository);
    const index = this.#indexOf(ref);
    try {
      return await repository.exclusive(() => createWorktree(repository, plan, index));
    } catch (error) {
      throw failed(`the workspace ${plan.path} cannot be created`, error);
    }
  }

  setUp(worktree: Worktree, request: SetUpRequest): Promise<SetUpReport> {
    const { directory, runner, installation, randomId } = this.#options;
    const key = taskKey(worktree);
    return setUp(
      {
        runner,
        worktree: worktree.path,
        directory: join(directory, 'set-up', key),
        marker: `${installation}:${key}`,
        run: randomId(),
      },
      request,
    );
  }

  async release(worktree: Worktree): Promise<void> {
    const repository = await this.#open(worktree.repository).catch(() => null);
    if (repository) await releaseLocks(repository, worktree);
  }

  async takeDiff(worktree: Worktree, { attempt, author, time }: SnapshotRequest): Promise<Diff | null> {
    const repository = await this.#open(worktree.repository);
    try {
      return await repository.exclusive(async () => {
        const message = `Task ${taskKey(worktree)}, attempt ${attempt}: what was not committed`;
        const snapshot = await this.#snapshot(repository, worktree, message, { author, time });
        const base = await forkOf(repository, worktree, snapshot.commit);
        const diff = await diffOf(repository, base, snapshot);
        const keep = `refs/signalbox/attempts/${taskKey(worktree)}/${attempt}`;
        if (diff !== null) await repository.refs(['update-ref', keep, snapshot.commit]);
        return diff;
      });
    } catch (error) {
      throw failed(`the changes in ${worktree.path} cannot be recorded`, error, 'internal');
    }
  }

  async merge(worktree: Worktree, request: MergeRequest): Promise<MergeResult> {
    try {
      const repository = await this.#open(worktree.repository);
      return await repository.exclusive(() => merge(repository, worktree, request, this.#notesOf(worktree)));
    } catch (error) {
      return { kind: 'failed', reason: messageOf(error) };
    }
  }

  async reasonToKeep(worktree: Worktree): Promise<KeepReason> {
    try {
      const repository = await this.#open(worktree.repository);
      return await repository.exclusive(async () => (await this.#assess(repository, worktree)).reason);
    } catch (error) {
      return `it cannot be examined: ${messageOf(error)}`;
    }
  }

  async remove(worktree: Worktree, { discard }: { readonly discard: boolean }): Promise<KeepReason> {
    try {
      const repository = await this.#open(worktree.repository);
      return await repository.exclusive(() => this.#remove(repository, worktree, discard));
    } catch (error) {
      return `it cannot be removed: ${messageOf(error)}`;
    }
  }

  async list(): Promise<readonly (TaskRef & { readonly path: string })[]> {
    const root = await this.#root();
    const found: (TaskRef & { path: string })[] = [];
    for (const project of await readdir(root).catch(() => []))
      for (const task of await readdir(join(root, project)).catch(() => []))
        if (ID_PATTERN.test(project) && ID_PATTERN.test(task))
          found.push({ project, task, path: join(root, project, task) });
    return found;
  }

  async #remove(repository: Repository, worktree: Worktree, discard: boolean): Promise<KeepReason> {
    // A removal that a crash has interrupted was decided: what is left of the worktree is not examined again.
    const isBegun = !(await exists(worktree.path));
    const { reason, mergedAt } =
      discard || isBegun ? { reason: null, mergedAt: null } : await this.#assess(repository, worktree);
    if (reason !== null) return reason;
    await removeWorktree(repository, worktree);
    await rm(this.#indexOf(worktree), { force: true });
    await rm(this.#notesOf(worktree), { force: true });
    await rm(join(this.#options.directory, 'set-up', taskKey(worktree)), { recursive: true, force: true });
    if (worktree.branch !== null && mergedAt !== null)
      await removeBranch(repository, worktree.branch, mergedAt).catch(() => {});
    return null;
  }

  /** @returns why it has to stay, and where its branch is if nothing is only there */
  async #assess(
    repository: Repository,
    worktree: Worktree,
  ): Promise<{ readonly reason: KeepReason; readonly mergedAt: string | null }> {
    const message = `Task ${taskKey(worktree)}: not merged`;
    const { head, commit, leftOut } = await this.#snapshot(repository, worktree, message, {
      author: 'Signalbox',
      time: 0,
    });
    const free = { reason: null, mergedAt: head };
    if (leftOut.length > 0) {
      const named = leftOut.slice(0, MAX_NAMED).map(({ path, why }) => `${path} (${why})`);
      return { reason: `it has files that are not recorded: ${named.join(', ')}`, mergedAt: null };
    }
    if (head === commit && (await this.#isContained(repository, worktree, head))) return free;
    const tree = await repository.treeOf(commit);
    for (const merged of await mergedCommits(repository, worktree, this.#notesOf(worktree))) {
      const isSame = (await repository.treeOf(merged)) === tree;
      if (isSame && (await repository.isAncestor(head, merged))) return free;
    }
    const isCommitted = head === commit;
    return {
      reason: isCommitted ? 'it has commits that are not merged' : 'it has changes that are not committed',
      mergedAt: null,
    };
  }

  /** Whether the commit is in the history that the workspace began with, or in that of its target. */
  async #isContained(repository: Repository, { base, target }: Worktree, head: string): Promise<boolean> {
    if (await repository.isAncestor(head, base)) return true;
    const at = target === null ? null : await repository.commitOf(`refs/heads/${target}`);
    return at !== null && (await repository.isAncestor(head, at));
  }

  async #snapshot(
    repository: Repository,
    worktree: Worktree,
    message: string,
    authorship: { readonly author: string; readonly time: number },
  ): Promise<Snapshot> {
    const { path, admin } = worktree;
    const found = await lstat(path).catch(() => null);
    if (!found?.isDirectory()) throw new Error(`${path} is no directory any more`);
    const head = await repository.commitOf(`worktrees/${admin}/HEAD`);
    if (head === null) throw new Error(`its HEAD is not at a commit`);
    const place = { worktree: path, index: this.#indexOf(worktree) };
    return takeSnapshot(repository, place, head, message, authorship);
  }

  async #baseOf(
    repository: Repository,
    base: string | undefined,
  ): Promise<{ readonly target: string | null; readonly base: string }> {
    const name = base ?? (await branchOf(repository));
    const branch = await repository.commitOf(`refs/heads/${name}`);
    if (branch !== null) return { target: name, base: branch };
    const commit = await repository.commitOf(name);
    if (commit !== null) return { target: null, base: commit };
    throw new Error(`${repository.path} has no branch or commit ${JSON.stringify(name)}`);
  }

  async #freeBranch(repository: Repository, name: string): Promise<string> {
    await repository.refs(['check-ref-format', `refs/heads/${name}`]).catch(() => {
      throw new Error(`${JSON.stringify(name)} is not a name for a branch: change workspace.branch`);
    });
    for (let number = 1; number <= MAX_BRANCHES; number++) {
      const candidate = number === 1 ? name : `${name}-${number}`;
      if ((await repository.commitOf(`refs/heads/${candidate}`)) === null) return candidate;
    }
    throw new Error(
      `the branches ${name} to ${name}-${MAX_BRANCHES} exist already: remove those that are not needed`,
    );
  }

  #open(path: string): Promise<Repository> {
    const known = this.#repositories.get(path);
    if (known) return known;
    const own = join(this.#options.directory, 'git', sha256(path).slice(0, 16));
    const opening = Repository.open(path, own, this.#options.env.PATH);
    this.#repositories.set(path, opening);
    // One that is not there may be there later.
    opening.catch(() => this.#repositories.delete(path));
    return opening;
  }

  /** Without links on the way: git records paths like this. */
  async #root(): Promise<string> {
    const root = join(this.#options.directory, 'trees');
    await mkdir(root, { recursive: true, mode: 0o700 });
    return realpath(root);
  }

  /** The file that notes the merges of a task. */
  #notesOf({ project, task }: TaskRef): string {
    return join(this.#options.directory, 'merges', project, `${task}.json`);
  }

  /** Signalbox's own index of a worktree, which no agent writes. */
  #indexOf(ref: TaskRef): string {
    return join(this.#options.directory, 'index', ref.project, ref.task);
  }
}

/** What the work and its target have in common; the base if it has no target. */
async function forkOf(repository: Repository, { target, base }: Worktree, commit: string): Promise<string> {
  const at = target === null ? base : ((await repository.commitOf(`refs/heads/${target}`)) ?? base);
  return (await repository.mergeBase(at, commit)) ?? base;
}

async function branchOf(repository: Repository): Promise<string> {
  const { stdout } = await repository.refs(['symbolic-ref', '--quiet', 'HEAD'], { okCodes: [0, 1] });
  const name = stdout.trim().replace(/^refs\/heads\//, '');
  if (name !== '') return name;
  throw new Error(`${repository.path} has no branch checked out: set workspace.base`);
}

function failed(
  what: string,
  error: unknown,
  code: 'spawn_failed' | 'internal' = 'spawn_failed',
): SignalboxError {
  if (error instanceof SignalboxError && error.code === code) return error;
  return new SignalboxError(code, `${what}: ${messageOf(error)}`, { cause: error });
}
