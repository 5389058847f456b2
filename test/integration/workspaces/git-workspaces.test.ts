/** Worktrees with a real git: what is made, recorded, merged and removed. Long because every case needs the same repository. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Worktree } from '../../../src/workspaces/workspaces.ts';
import { AT, GitLab, merging } from '../../support/workspaces/git-lab.ts';
import { gitIn, writeFiles } from '../../support/workspaces/repository.ts';

describe('a worktree', () => {
  it('has the files and the branch of its task, beside that of another task', async () => {
    await using lab = await GitLab.create({ 'a.txt': 'a\n', 'src/b.txt': 'b\n' });
    const { repository } = lab;
    const [one, two] = [await lab.make('t1'), await lab.make('t2')];
    expect(await readFile(join(one.path, 'src/b.txt'), 'utf8')).toBe('b\n');
    expect(await gitIn(one.path, 'status', '--porcelain')).toBe('');
    expect(await gitIn(one.path, 'branch', '--show-current')).toBe('signalbox/demo/t1');
    expect(await gitIn(two.path, 'branch', '--show-current')).toBe('signalbox/demo/t2');
    expect(one).toMatchObject({ base: await repository.git('rev-parse', 'main'), target: 'main' });
  });

  it('is made again after a crash in the middle, and on a branch of its own if the name is taken', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const first = await lab.make('t1');
    await rm(join(first.path, 'a.txt'));
    expect(await workspaces.create(first, first)).toBe(first.admin);
    expect(await gitIn(first.path, 'status', '--porcelain')).toBe('');
    await repository.git('branch', 'signalbox/demo/t2');
    expect((await lab.make('t2')).branch).toBe('signalbox/demo/t2-2');
  });

  it('says what is wrong with a repository, a base or a branch', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    await expect(lab.make('t1', 'a..b')).rejects.toThrow('is not a name for a branch');
    await expect(lab.make('t1', 'b', 'nowhere')).rejects.toThrow('has no branch or commit "nowhere"');
    const plan = { project: 'demo', task: 't', branch: 'b', repository: repository.directory };
    await expect(workspaces.plan(plan)).rejects.toThrow('cannot be used');
  });
});

describe('the diff', () => {
  it('has commits, changes that are not committed, new files, renames and binary files by size', async () => {
    await using lab = await GitLab.create({ 'a.txt': 'one\ntwo\n', 'old.txt': 'x\n'.repeat(20) });
    const { workspaces } = lab;
    const made = await lab.make('t1');
    await writeFiles(made.path, { 'a.txt': 'one\n2\n' });
    await gitIn(made.path, 'commit', '--quiet', '--all', '--message', 'two');
    await gitIn(made.path, 'mv', 'old.txt', 'new.txt');
    await writeFile(join(made.path, 'image'), Buffer.from([0, 1, 2, 3]));
    await writeFiles(made.path, { 'sub/ünï "q".txt': 'new\n' });
    const diff = await workspaces.takeDiff(made, AT);
    expect(diff).toMatchObject({ files: 4, insertions: 2, deletions: 1, base: made.base });
    expect(diff?.head).toBe(await gitIn(made.path, 'rev-parse', 'HEAD'));
    expect(diff?.commit).not.toBe(diff?.head);
    expect(diff?.text).toContain('# binary: "image" (4 bytes)\n');
    expect(diff?.text).toContain('-two\n+2\n');
    expect(diff?.text).toContain('rename from old.txt\nrename to new.txt\n');
    // The same again has the same commit, and the agent's own index is untouched.
    expect((await workspaces.takeDiff(made, AT))?.commit).toBe(diff?.commit);
    expect(await gitIn(made.path, 'status', '--porcelain')).toContain('?? image');
  });

  it('is null without changes', async () => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    expect(await workspaces.takeDiff(await lab.make('t1'), AT)).toBeNull();
  });

  it('leaves out what is too large or no file, and says so', async () => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    const made = await lab.make('t1');
    const huge = await open(join(made.path, 'huge'), 'w');
    await huge.truncate(3 * 1_024 ** 3);
    await huge.close();
    execFileSync('mkfifo', [join(made.path, 'a.pipe')]);
    await rm(join(made.path, 'a.txt'));
    execFileSync('mkfifo', [join(made.path, 'a.txt')]);
    await mkdir(join(made.path, 'nested'));
    await gitIn(join(made.path, 'nested'), 'init', '--quiet');
    await writeFiles(made.path, { 'nested/x': 'x\n', 'b.txt': 'b\n' });
    await gitIn(join(made.path, 'nested'), 'add', '--all');
    await gitIn(join(made.path, 'nested'), 'commit', '--quiet', '--message', 'x');
    await symlink('/etc/passwd', join(made.path, 'link'));
    const diff = await workspaces.takeDiff(made, AT);
    expect(diff).toMatchObject({ files: 2, insertions: 2, left_out: 3 });
    expect(diff?.text).toContain('# left out: "huge" (3221225472 bytes');
    expect(diff?.text).toContain('# left out: "nested/" (it is a repository of its own)');
    expect(await workspaces.reasonToKeep(made)).toContain('it has files that are not recorded');
  });
});

describe('a FIFO that git opens', () => {
  it.each(['.gitignore', '.gitattributes'])('as %s of a worktree: it is named', async (name) => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    const made = await lab.make('t1');
    const file = join(made.path, name);
    await writeFiles(made.path, { 'new.txt': 'new\n' });
    execFileSync('mkfifo', [file]);
    await expect(workspaces.takeDiff(made, AT)).rejects.toThrow(`${file} is not a file. Remove it`);
    await rm(file);
    expect(await workspaces.takeDiff(made, AT)).toMatchObject({ files: 1 });
  });

  it('in the repository: it is named, and other worktrees can be made when it is gone', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const made = await lab.make('t1');
    const head = join(repository.path, '.git/worktrees', made.admin, 'HEAD');
    const content = await readFile(head, 'utf8');
    await rm(head);
    execFileSync('mkfifo', [head]);
    const text = `${head} is not a file. Remove it`;
    await expect(workspaces.takeDiff(made, AT)).rejects.toThrow(text);
    await expect(lab.make('t2')).rejects.toThrow(text);
    await rm(head);
    await writeFile(head, content);
    expect(await gitIn((await lab.make('t2')).path, 'status', '--porcelain')).toBe('');
  });
});

describe('a merge', () => {
  it.each(['merge', 'squash'] as const)(
    '%s: moves the branch and the files that the operator sees',
    async (mode) => {
      await using lab = await GitLab.create();
      const { repository, workspaces } = lab;
      const make = lab.make.bind(lab);
      const made = await make('t1');
      await writeFiles(made.path, { 'a.txt': 'one\n2\nthree\n', 'new.txt': 'new\n' });
      await writeFiles(repository.path, { 'mine.txt': 'not committed\n' });
      const diff = await workspaces.takeDiff(made, AT);
      const before = await repository.git('rev-parse', 'main');
      const result = await workspaces.merge(made, merging(diff?.commit ?? '', mode));
      expect(result).toMatchObject({ kind: 'merged', before });
      expect(await repository.git('rev-parse', 'main')).toBe(result.kind === 'merged' ? result.commit : '');
      expect(await repository.git('status', '--porcelain')).toBe('?? mine.txt');
      expect(await repository.read('a.txt')).toBe('one\n2\nthree\n');
      const parents = await repository.git('rev-list', '--parents', '--max-count=1', 'main');
      expect(parents.split(' ')).toHaveLength(mode === 'merge' ? 3 : 2);
      // Once more, as after a crash: the same result.
      expect(await workspaces.merge(made, merging(diff?.commit ?? '', mode))).toEqual(result);
      expect(await workspaces.reasonToKeep(made)).toBeNull();
      expect(await workspaces.remove(made, { discard: false })).toBeNull();
      expect(existsSync(made.path)).toBe(false);
      expect(await repository.git('branch', '--list', 'signalbox/*')).toBe('');
      expect(await repository.git('worktree', 'list')).not.toContain('t1');
    },
  );

  it('of a crash before the checkout was brought up to date is finished', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const made = await lab.make('t1');
    await writeFiles(made.path, { 'a.txt': 'one\n2\nthree\n' });
    const diff = await workspaces.takeDiff(made, AT);
    const result = await workspaces.merge(made, merging(diff?.commit ?? ''));
    await repository.git('read-tree', '-u', '-m', 'main', 'main^1');
    expect(await repository.git('status', '--porcelain')).toBe('M  a.txt');
    expect(await workspaces.merge(made, merging(diff?.commit ?? ''))).toEqual(result);
    expect(await repository.git('status', '--porcelain')).toBe('');
  });

  it('that conflicts names the files, changes nothing, and succeeds when the agent has resolved it', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const [one, two] = [await lab.make('t1'), await lab.make('t2')];
    await writeFiles(one.path, { 'a.txt': 'one\nfirst\nthree\n' });
    await writeFiles(two.path, { 'a.txt': 'one\nsecond\nthree\n' });
    const diffs = [await workspaces.takeDiff(one, AT), await workspaces.takeDiff(two, AT)];
    await workspaces.merge(one, merging(diffs[0]?.commit ?? ''));
    const at = await repository.git('rev-parse', 'main');
    const conflict = await workspaces.merge(two, merging(diffs[1]?.commit ?? ''));
    expect(conflict).toMatchObject({ kind: 'conflict' });
    expect(conflict.kind === 'conflict' ? conflict.reason : '').toContain('Merge conflict in a.txt');
    expect(await repository.git('rev-parse', 'main')).toBe(at);
    await gitIn(two.path, 'commit', '--quiet', '--all', '--message', 'second');
    await gitIn(two.path, 'merge', 'main').catch(() => {});
    await writeFiles(two.path, { 'a.txt': 'one\nfirst and second\nthree\n' });
    await gitIn(two.path, 'commit', '--quiet', '--all', '--message', 'resolved');
    const resolved = await workspaces.takeDiff(two, { ...AT, attempt: 2 });
    // The other task's work is not in it.
    expect(resolved).toMatchObject({ base: at, files: 1, insertions: 1, deletions: 1 });
    expect(await workspaces.merge(two, merging(resolved?.commit ?? ''))).toMatchObject({ kind: 'merged' });
    expect(await repository.read('a.txt')).toBe('one\nfirst and second\nthree\n');
  });

  it('never overwrites what the operator has not committed', async () => {
    await using lab = await GitLab.create();
    const { repository, workspaces } = lab;
    const made = await lab.make('t1');
    await writeFiles(made.path, { 'a.txt': 'one\n2\nthree\n' });
    const diff = await workspaces.takeDiff(made, AT);
    await writeFiles(repository.path, { 'a.txt': 'mine\n' });
    const at = await repository.git('rev-parse', 'main');
    const result = await workspaces.merge(made, merging(diff?.commit ?? ''));
    expect(result).toMatchObject({ kind: 'failed' });
    expect(result.kind === 'failed' ? result.reason : '').toContain('Commit or stash them');
    expect(await repository.git('rev-parse', 'main')).toBe(at);
    expect(await repository.read('a.txt')).toBe('mine\n');
  });
});

describe('a removal', () => {
  async function changed(change: (made: Worktree) => Promise<unknown>) {
    const lab = await GitLab.create();
    const made = await lab.make('t1');
    await change(made);
    return { lab, made, reason: await lab.workspaces.remove(made, { discard: false }) };
  }

  it('never takes work with it that is not committed', async () => {
    const open = await changed((made) => writeFiles(made.path, { 'a.txt': 'changed\n' }));
    await using _one = open.lab;
    expect(open.reason).toBe('it has changes that are not committed');
    expect(await readFile(join(open.made.path, 'a.txt'), 'utf8')).toBe('changed\n');
    const untracked = await changed((made) => writeFiles(made.path, { 'new.txt': 'new\n' }));
    await using _two = untracked.lab;
    expect(untracked.reason).toBe('it has changes that are not committed');
  });

  it('never takes work with it that is not merged, and by name leaves its branch', async () => {
    const { lab, made, reason } = await changed(async ({ path }) => {
      await writeFiles(path, { 'a.txt': 'changed\n' });
      await gitIn(path, 'commit', '--quiet', '--all', '--message', 'work');
    });
    await using _lab = lab;
    expect(reason).toBe('it has commits that are not merged');
    expect(await lab.workspaces.remove(made, { discard: true })).toBeNull();
    expect(await lab.repository.git('log', '-1', '--format=%s', 'signalbox/demo/t1')).toBe('work');
  });

  it('is finished after a crash, also of directories that took the rights from their owner', async () => {
    const { lab, made, reason } = await changed(async ({ path }) => {
      await writeFile(join(path, '.gitignore'), 'locked\n');
      await gitIn(path, 'add', '.gitignore');
      await mkdir(join(path, 'locked/deep'), { recursive: true });
      await chmod(join(path, 'locked'), 0o000);
    });
    await using _lab = lab;
    expect(reason).toBe('it has changes that are not committed');
    expect(await lab.workspaces.remove(made, { discard: true })).toBeNull();
    expect(existsSync(made.path)).toBe(false);
    expect(await lab.workspaces.remove(made, { discard: false })).toBeNull();
  });

  it('of a reviewer that resets its detached worktree loses nothing of the work', async () => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    const made = await lab.make('t1');
    await writeFiles(made.path, { 'a.txt': 'work\n' });
    const diff = await workspaces.takeDiff(made, AT);
    const review = await lab.make('t1-r1', null, diff?.commit);
    expect(await readFile(join(review.path, 'a.txt'), 'utf8')).toBe('work\n');
    await gitIn(review.path, 'reset', '--hard', '--quiet', 'HEAD~1');
    expect(await workspaces.remove(review, { discard: false })).toBeNull();
    expect(await readFile(join(made.path, 'a.txt'), 'utf8')).toBe('work\n');
    expect((await workspaces.takeDiff(made, AT))?.commit).toBe(diff?.commit);
  });
});

describe('the set-up', () => {
  const setUp = (commands: string[][], timeoutMs = 20_000) => ({
    commands,
    timeoutMs,
    env: { PATH: process.env.PATH ?? '' },
    signal: new AbortController().signal,
  });

  it('runs the commands in the worktree, keeps what they print, and stops at the first that fails', async () => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    const made = await lab.make('t1');
    const commands = [
      ['sh', '-c', 'echo hello; cat a.txt > b.txt'],
      ['sh', '-c', 'echo bad >&2; exit 3'],
      ['true'],
    ];
    const report = await workspaces.setUp(made, setUp(commands));
    expect(report.failure).toContain('exited with code 3');
    expect(report.steps.map(({ exit, output }) => [exit, output.trim()])).toEqual([
      ['exited with code 0', 'hello'],
      ['exited with code 3', 'bad'],
    ]);
    expect(existsSync(join(made.path, 'b.txt'))).toBe(true);
  });

  it('ends what takes too long, with everything that it started', async () => {
    await using lab = await GitLab.create();
    const { workspaces } = lab;
    const report = await workspaces.setUp(
      await lab.make('t1'),
      setUp([['sh', '-c', 'sleep 600 & sleep 600']], 300),
    );
    expect(report.failure).toContain('it took longer than the set-up may take');
  });
});
