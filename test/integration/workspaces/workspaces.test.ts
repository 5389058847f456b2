/** Tasks in workspaces of their own, with real agents and a real git: from the worktree to the merge and its removal. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TaskView } from '../../../projections/index.ts';
import {
  listWorkspaces,
  pruneWorkspaces,
  readDiff,
  removeWorkspace,
} from '../../../src/app/workspaces/workspaces.ts';
import { approveTask, rejectTask } from '../../support/decisions.ts';
import { WorkspaceLab } from '../../support/workspaces/lab.ts';

const inReview = ({ state, openAttempt }: TaskView): boolean => state === 'review' && openAttempt === null;
const isDone = ({ state }: TaskView): boolean => state === 'done';

const PROJECT = 'demo';
const approve = (lab: WorkspaceLab, task: string) =>
  lab.engine && approveTask(lab.engine.app, { project: PROJECT, task }, {}, 'user:ann');

describe('a task in a workspace of its own', () => {
  it('works in a worktree on its own branch, and its diff is an output', async () => {
    await using lab = await WorkspaceLab.create();
    const script =
      'echo changed >> a.txt; pwd; git branch --show-current; echo $SIGNALBOX_BRANCH $SIGNALBOX_TARGET';
    const engine = await lab.start([lab.agent('coder', script)]);
    await engine.create({ id: 't1', agent: 'coder', review: 'manual' });
    const { outputs } = await engine.until('t1', inReview);
    const workspace = lab.workspace('t1');
    expect(workspace).toMatchObject({ state: 'ready', branch: 'signalbox/demo/t1', target: 'main' });
    expect(outputs.map(({ title }) => title)).toEqual(['Standard output of coder', 'diff']);
    expect(outputs[0]?.content).toBe(`${workspace?.path}\nsignalbox/demo/t1\nsignalbox/demo/t1 main\n`);
    expect(outputs[1]).toMatchObject({
      type: 'code',
      content: expect.stringContaining('\n+changed\n'),
      diff: { base: workspace?.base, files: 1, insertions: 1, deletions: 0 },
    });
    // The operator's directory is untouched.
    expect(await lab.repository.git('status', '--porcelain')).toBe('');
  });

  it('needs no other output than its diff, and finds its work in the next attempt', async () => {
    await using lab = await WorkspaceLab.create();
    const engine = await lab.start([lab.agent('coder', 'echo $SIGNALBOX_ATTEMPT >> b.txt')]);
    await engine.create({ id: 't1', agent: 'coder', review: 'manual' });
    const first = await engine.until('t1', inReview);
    expect(first.outputs.map(({ title }) => title)).toEqual(['diff']);
    await rejectTask(engine.app, { project: PROJECT, task: 't1' }, { comment: 'more' }, 'user:ann');
    const second = await engine.until('t1', (task) => inReview(task) && task.attempts === 2);
    expect(second.outputs[1]?.content).toContain('+1\n+2\n');
    expect(await lab.events('workspace.requested')).toHaveLength(1);
  });

  it('is set up first, and a set-up that fails says what it printed', async () => {
    await using lab = await WorkspaceLab.create();
    const good = lab.agent('good', 'cat ready.txt', { setUp: [['sh', '-c', 'echo yes > ready.txt']] });
    const bad = lab.agent('bad', 'true', { setUp: [['sh', '-c', 'echo no network; exit 7']] });
    const engine = await lab.start([good, bad]);
    await engine.create({ id: 't1', agent: 'good', review: 'manual' });
    await engine.create({ id: 't2', agent: 'bad', max_attempts: 1 });
    expect((await engine.until('t1', inReview)).outputs[0]?.content).toBe('yes\n');
    const failed = await engine.until('t2', ({ state }) => state === 'failed');
    expect(failed.reason).toContain('exited with code 7');
    expect(failed.reason).toContain('no network');
    expect(await lab.events('workspace.set_up_failed')).toMatchObject([
      { task: 't2', output: 'no network\n' },
    ]);
  });

  it('that cannot have one says why', async () => {
    await using lab = await WorkspaceLab.create();
    const engine = await lab.start([lab.agent('coder', 'true', { repository: '/nonexistent' })]);
    await engine.create({ id: 't1', agent: 'coder', max_attempts: 1 });
    const { reason } = await engine.until('t1', ({ state }) => state === 'failed');
    expect(reason).toContain('workspace.repository /nonexistent cannot be used');
  });

  it('has the Git places of its environment removed', async () => {
    await using lab = await WorkspaceLab.create();
    const agent = lab.agent('coder', 'env | grep -c ^GIT_DIR= || true; git rev-parse --show-toplevel');
    const engine = await lab.start([agent]);
    await engine.create({ id: 't1', agent: 'coder', review: 'manual' });
    const { outputs } = await engine.until('t1', inReview);
    expect(outputs[0]?.content).toBe(`0\n${lab.workspace('t1')?.path}\n`);
  });
});

describe('three tasks of one agent', () => {
  // Each writes its own line; after a conflict it merges the target and keeps both lines.
  const CODER = `
    git merge --quiet main >/dev/null 2>&1 || true
    grep -v '^[<=>]' a.txt > merged || true
    grep -q "by $SIGNALBOX_TASK_ID" merged || sed -i "s/^two$/two by $SIGNALBOX_TASK_ID/" merged
    grep -q "by $SIGNALBOX_TASK_ID" merged || echo "by $SIGNALBOX_TASK_ID" >> merged
    mv merged a.txt
    git commit --quiet --all --message "work of $SIGNALBOX_TASK_ID"`;
  // It looks at the work, destroys its own copy, and approves.
  const REVIEWER = `grep by a.txt >&2; git reset --hard --quiet HEAD~1; rm -f a.txt; echo '{"verdict":"approve"}'`;

  it('change the same file, are reviewed at their commits, and are merged one after the other', async () => {
    await using lab = await WorkspaceLab.create();
    const coder = lab.agent('coder', CODER, { onApprove: 'merge', keepMs: 0 }, { concurrency: 3 });
    const engine = await lab.start([coder, lab.agent('checker', REVIEWER, null)]);
    for (const id of ['t1', 't2', 't3']) await engine.create({ id, agent: 'coder', review: 'checker' });
    const tasks = await Promise.all(['t1', 't2', 't3'].map((id) => engine.until(id, isDone)));
    // Each diff is its own.
    for (const { id, outputs } of tasks) {
      const added = outputs.at(-1)?.content?.match(/^\+.*by t\d$/gm) ?? [];
      expect(added.join()).toContain(`by ${id}`);
      expect(outputs.at(-1)?.diff?.files).toBe(1);
    }
    const merged = await lab.repository.read('a.txt');
    for (const { id } of tasks) expect(merged).toContain(`by ${id}`);
    expect(await lab.repository.git('status', '--porcelain')).toBe('');
    // Whoever came second met a conflict, got it as a comment, and resolved it in the next attempt.
    const conflicts = await lab.events('workspace.merge_failed');
    expect(conflicts.length).toBeGreaterThan(0);
    for (const { task, reason, goes_back } of conflicts) {
      expect(goes_back).toBe(true);
      expect(reason).toContain('Merge conflict in a.txt');
      const comments = tasks.find(({ id }) => id === task)?.comments ?? [];
      expect(comments.map(({ body }) => body)).toContain(reason);
    }
    // What is merged is removed, with its branch.
    await engine.when(() =>
      (lab.workspace('t1') ?? lab.workspace('t2') ?? lab.workspace('t3')) ? undefined : true,
    );
    expect(await lab.repository.git('branch', '--list', 'signalbox/*')).toBe('');
  });
});

describe('an approval', () => {
  it('that cannot be merged leaves the task in review, and counts when the way is free', async () => {
    await using lab = await WorkspaceLab.create();
    const engine = await lab.start([lab.agent('coder', 'echo new > a.txt', { onApprove: 'squash' })]);
    await engine.create({ id: 't1', agent: 'coder', review: 'manual' });
    await engine.until('t1', inReview);
    await lab.repository.git('rm', '--quiet', '--cached', 'a.txt');
    await approve(lab, 't1');
    const stuck = await engine.until('t1', ({ merging, reason }) => !merging && reason !== null);
    expect(stuck).toMatchObject({ state: 'review', reason: expect.stringContaining('Commit or stash them') });
    await lab.repository.git('reset', '--quiet');
    await approve(lab, 't1');
    await engine.until('t1', isDone);
    expect(await lab.repository.read('a.txt')).toBe('new\n');
    expect(await lab.repository.git('log', '-1', '--format=%s')).toBe('a task');
  });

  it('without a person is not repeated for ever if it cannot be merged', async () => {
    await using lab = await WorkspaceLab.create();
    const engine = await lab.start([lab.agent('coder', 'echo new > a.txt', { onApprove: 'merge' })]);
    await lab.repository.git('rm', '--quiet', '--cached', 'a.txt');
    await engine.create({ id: 't1', agent: 'coder', review: 'auto' });
    await engine.until('t1', ({ merging, reason }) => !merging && reason !== null);
    await engine.create({ id: 't2', agent: 'coder', review: 'manual' });
    await engine.until('t2', inReview);
    expect(await lab.events('workspace.merge_failed')).toHaveLength(1);
  });
});

describe('the operations of workspaces', () => {
  it('list, compare and remove: nothing with work in it, and by name what is wanted', async () => {
    await using lab = await WorkspaceLab.create();
    const script = '[ $SIGNALBOX_TASK_ID = t2 ] || echo new >> a.txt; echo done';
    const engine = await lab.start([lab.agent('coder', script)]);
    const { app } = engine;
    const ref = { project: PROJECT, task: 't1' };
    await engine.create({ id: 't1', agent: 'coder', review: 'manual' });
    await engine.create({ id: 't2', agent: 'coder', review: 'auto' });
    await engine.until('t1', inReview);
    await engine.until('t2', isDone);
    expect(
      listWorkspaces(app)
        .map(({ task, state }) => [task, state])
        .toSorted(),
    ).toEqual([
      ['t1', 'ready'],
      ['t2', 'ready'],
    ]);
    const diff = await readDiff(app, ref, {});
    expect(diff.files).toMatchObject([{ path: 'a.txt', change: 'modified', insertions: 1, deletions: 0 }]);
    await expect(readDiff(app, { ...ref, task: 't2' }, {})).rejects.toMatchObject({ code: 'diff_not_found' });
    const remove = (discard: boolean) => removeWorkspace(app, ref, { by: undefined, discard }, 'user:ann');
    await expect(remove(true)).rejects.toMatchObject({ code: 'workspace_in_use' });
    await approve(lab, 't1');
    await expect(remove(false)).rejects.toMatchObject({ code: 'workspace_has_work' });
    const all = { by: undefined, dry_run: true };
    const dry = await pruneWorkspaces(app, all, 'user:ann');
    expect(dry).toMatchObject({ removed: [{ task: 't2' }], kept: [{ task: 't1' }] });
    expect(await pruneWorkspaces(app, { ...all, dry_run: false }, 'user:ann')).toMatchObject({
      removed: [{ task: 't2' }],
    });
    expect(await remove(true)).toEqual({ removed: true, reason: null });
    await expect(remove(true)).rejects.toMatchObject({ code: 'workspace_not_found' });
  });

  it('survive a restart between any two steps', async () => {
    await using lab = await WorkspaceLab.create();
    const coder = () => [lab.agent('coder', 'echo new >> a.txt', { onApprove: 'merge', keepMs: 0 })];
    for (const type of ['requested', 'created', 'set_up', 'merged', 'removal_requested'] as const) {
      const id = `t-${type.replace('_', '-')}`;
      const before = await lab.start(coder());
      await before.create({ id, agent: 'coder', review: 'auto' });
      await new Promise<void>((resolve) => {
        const seen = before.app.log.onRecord(({ event }) => {
          if (event.type !== `workspace.${type}`) return;
          seen();
          resolve();
        });
      });
      await lab.stop();
      const after = await lab.start(coder());
      await after.until(id, isDone);
      await after.when(() => (lab.workspace(id) === undefined ? true : undefined));
      await lab.stop();
    }
    const lines = (await lab.repository.read('a.txt')).split('\n').filter((line) => line === 'new');
    expect(lines).toHaveLength(5);
    expect(await lab.repository.git('status', '--porcelain')).toBe('');
    expect(await lab.repository.git('worktree', 'list')).not.toContain('t-');
  });
});

describe('the removal of a workspace', () => {
  it('workspaces/nothing-lost: comes when its time is over, but not for work that is nowhere else: that is said', async () => {
    await using lab = await WorkspaceLab.create();
    const script = '[ $SIGNALBOX_TASK_ID = t1 ] && echo work > b.txt; echo done';
    const engine = await lab.start([lab.agent('coder', script, { keepMs: 0 })]);
    for (const id of ['t1', 't2']) await engine.create({ id, agent: 'coder', review: 'auto' });
    const path = join(lab.repository.directory, 'data/workspaces/trees/demo');
    await engine.when(() => (lab.workspace('t1')?.kept && !lab.workspace('t2') ? true : undefined));
    expect(lab.workspace('t1')).toMatchObject({
      state: 'ready',
      kept: 'it has changes that are not committed',
    });
    expect(await readFile(join(path, 't1/b.txt'), 'utf8')).toBe('work\n');
    expect(existsSync(join(path, 't2'))).toBe(false);
    expect(await lab.events('workspace.removed')).toMatchObject([{ task: 't2' }]);
  });
});
