/** Workspaces on a real repository, without an engine. */
import { join } from 'node:path';
import { pino } from 'pino';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import { GitWorkspaces } from '../../../src/workspaces/git-workspaces.ts';
import type { Worktree } from '../../../src/workspaces/workspaces.ts';
import { TestRepository } from './repository.ts';

const runner = createProcessRunner({ log: pino({ level: 'silent' }) });
let ids = 0;

export class GitLab implements AsyncDisposable {
  readonly repository: TestRepository;
  readonly workspaces: GitWorkspaces;

  private constructor(repository: TestRepository) {
    this.repository = repository;
    this.workspaces = new GitWorkspaces({
      directory: join(repository.directory, 'data'),
      runner,
      installation: 'test',
      env: process.env,
      randomId: () => `run${ids++}`,
    });
  }

  static async create(files?: Readonly<Record<string, string>>): Promise<GitLab> {
    return new GitLab(await TestRepository.create(files));
  }

  /** A worktree for a task; detached if `branch` is null. */
  async make(
    task: string,
    branch: string | null = `signalbox/demo/${task}`,
    base?: string,
  ): Promise<Worktree> {
    const ref = { project: 'demo', task };
    const plan = await this.workspaces.plan({ ...ref, repository: this.repository.path, branch, base });
    return { ...ref, ...plan, admin: await this.workspaces.create(ref, plan) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.repository[Symbol.asyncDispose]();
  }
}

export const AT = { attempt: 1, author: 'coder', time: 1_700_000_000_000 };

export const merging = (commit: string, mode: 'merge' | 'squash' = 'merge') => ({
  mode,
  commit,
  message: 'Task t',
  author: 'coder',
  time: 1_700_000_100_000,
});
