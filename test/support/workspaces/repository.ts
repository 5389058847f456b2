/** A real repository for tests, in a directory that is removed at the end. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const AUTHOR = {
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** git as a user or an agent runs it. */
export async function gitIn(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', [...args], { cwd: directory, env: { ...process.env, ...AUTHOR } });
  return stdout.trim();
}

export class TestRepository implements AsyncDisposable {
  /** Everything of the test is in it. */
  readonly directory: string;
  readonly path: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, 'repository');
  }

  /** With the branch `main` checked out, and one commit with these files. */
  static async create(files: Readonly<Record<string, string>> = { 'a.txt': 'one\ntwo\nthree\n' }) {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-workspaces-')));
    const repository = new TestRepository(directory);
    await mkdir(repository.path);
    await repository.git('init', '--quiet', '--initial-branch=main');
    await repository.commit(files, 'begin');
    return repository;
  }

  git(...args: readonly string[]): Promise<string> {
    return gitIn(this.path, ...args);
  }

  async commit(files: Readonly<Record<string, string>>, message: string): Promise<string> {
    await writeFiles(this.path, files);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  read(file: string): Promise<string> {
    return readFile(join(this.path, file), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}
