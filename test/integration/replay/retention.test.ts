import { describe, expect, it } from 'vitest';
import { addComment } from '../../../src/app/agents/agent-messages.ts';
import { findAttempts, findTask } from '../../../src/app/context.ts';
import { listDeadLetters, redriveDeadLetters } from '../../../src/app/tasks/dead-letters.ts';
import type { TaskRef } from '../../../src/contracts/ids.ts';
import type { RetentionLimits } from '../../../src/engine/runtime/retention.ts';
import type { ReadRange } from '../../../src/journal/journal.ts';
import { blockTask, LOCAL, retryTask, unblockTask } from '../../support/decisions.ts';
import {
  type EngineSettings,
  functionAgent,
  PROJECT,
  startEngine,
  type TestEngine,
} from '../../support/engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemorySnapshots } from '../../support/history/memory-snapshots.ts';
import { MemoryJournal, MemoryLog } from '../../support/memory-journal.ts';

const HOUR_MS = 3_600_000;
const FOREVER: RetentionLimits = {
  finishedMs: 1_000 * HOUR_MS,
  deadLettersMs: 1_000 * HOUR_MS,
  tasks: 10_000,
};
const AT_ONCE: RetentionLimits = { ...FOREVER, finishedMs: 0 };
const DEAD_AT_ONCE: RetentionLimits = { ...FOREVER, deadLettersMs: 0 };

const ECHO = functionAgent('echo', ({ spec }) => `did ${spec.title}`, { concurrency: 4 });
const FAILS = functionAgent('fails', () => {
  throw new Error('as always');
});

const ref = (task: string): TaskRef => ({ project: PROJECT, task });

function start(retention: RetentionLimits, settings: Partial<EngineSettings> = {}, log = new MemoryLog()) {
  return startEngine({ agents: [ECHO, FAILS], retention, ...settings }, log);
}

/** Ids of the tasks in memory. */
function inMemory({ engine }: TestEngine): string[] {
  expect(engine.host.count('task')).toBe(engine.projections.blackboard.tasks.size);
  return [...engine.projections.blackboard.tasks.values()].map((task) => task.id);
}

/** Everything that follows from what was decided so far is stored. */
async function settled(test: TestEngine): Promise<void> {
  await test.when(() => (test.engine.backlog === 0 && test.engine.host.count('attempt') === 0) || undefined);
}

async function done(test: TestEngine, request: Parameters<TestEngine['create']>[0]): Promise<void> {
  const before = test.engine.projections.blackboard.counts.done;
  await test.create({ agent: 'echo', ...request });
  await test.when(() => test.engine.projections.blackboard.counts.done > before || undefined);
  await settled(test);
}

async function failed(test: TestEngine, request: Parameters<TestEngine['create']>[0]): Promise<void> {
  const before = test.engine.projections.blackboard.counts.failed;
  await test.create({ agent: 'fails', max_attempts: 1, ...request });
  await test.when(() => test.engine.projections.blackboard.counts.failed > before || undefined);
  await settled(test);
}

describe('a finished task', () => {
  it('leaves memory after its time, and is read back as it was', async () => {
    await using kept = await start(FOREVER);
    await done(kept, { id: 'a', title: 'the same' });
    await using test = await start(AT_ONCE);
    await done(test, { id: 'a', title: 'the same' });
    expect(inMemory(test)).toEqual([]);
    const task = await findTask(test.app, ref('a'));
    const attempts = await findAttempts(test.app, ref('a'));
    expect(task).toMatchObject({ state: 'done', attempts: 1, outputs: [{ content: 'did the same' }] });
    expect(attempts).toMatchObject([{ agent: 'echo', outcome: 'completed' }]);
    const [before] = kept.engine.projections.blackboard.tasks.values();
    expect(Object.keys(task)).toEqual(Object.keys(before ?? {}));
    expect(test.engine.projections.blackboard.counts.done).toBe(1);
  });

  it('stays for its time, counted from its last event', async () => {
    const clock = new FakeClock();
    const environment = { clock, random: () => 0.5, randomId: (length: number) => 'x'.repeat(length) };
    await using test = await start({ ...FOREVER, finishedMs: HOUR_MS }, { environment });
    await done(test, { id: 'a' });
    clock.advance(HOUR_MS - 1);
    await addComment(test.app, ref('a'), { author: 'ann', body: 'well done' }, LOCAL);
    clock.advance(HOUR_MS - 1);
    await test.create({ id: 'b', agent: 'echo', delay_seconds: 7_200 });
    expect(inMemory(test)).toEqual(['a', 'b']);
    clock.advance(1);
    await test.create({ id: 'c', agent: 'echo', delay_seconds: 7_200 });
    expect(inMemory(test)).toEqual(['b', 'c']);
  });

  it('leaves memory if there are too many, the oldest first, dead letters last', async () => {
    await using test = await start({ ...FOREVER, tasks: 2 });
    await failed(test, { id: 'dead' });
    for (const each of ['a', 'b', 'c']) await done(test, { id: each });
    expect(inMemory(test)).toEqual(['dead', 'c']);
    await failed(test, { id: 'dead2' });
    await failed(test, { id: 'dead3' });
    expect(inMemory(test)).toEqual(['dead2', 'dead3']);
  });

  it('retention/changes-nothing: can be read, and nothing more happens to it', async () => {
    await using test = await start(AT_ONCE);
    await done(test, { id: 'a' });
    const before = test.engine.projections.sequence;
    const comment = addComment(test.app, ref('a'), { author: 'ann', body: 'late' }, LOCAL);
    await expect(comment).rejects.toMatchObject({ code: 'task_archived' });
    await expect(comment).rejects.toThrow(/a in project demo is done.*Create a new task/);
    await expect(test.create({ agent: 'echo', parent: 'a' })).rejects.toMatchObject({
      code: 'illegal_transition',
    });
    await expect(findTask(test.app, ref('b'))).rejects.toMatchObject({
      code: 'task_not_found',
    });
    expect(test.engine.projections.sequence).toBe(before);
  });

  it('is still returned for the request that created it, by its id and by its key', async () => {
    await using test = await start(AT_ONCE);
    await done(test, { id: 'a', title: 'once' });
    await done(test, { idempotency_key: 'k 1', title: 'once' });
    const before = test.engine.projections.sequence;
    expect(await test.create({ id: 'a', agent: 'echo', title: 'once' })).toMatchObject({
      id: 'a',
      state: 'done',
    });
    const keyed = await test.create({ idempotency_key: 'k 1', agent: 'echo', title: 'once' });
    expect(keyed.state).toBe('done');
    expect(test.engine.projections.sequence).toBe(before);
    const other = { agent: 'echo', title: 'another' };
    await expect(test.create({ ...other, id: 'a' })).rejects.toMatchObject({ code: 'task_exists' });
    const conflict = test.create({ ...other, idempotency_key: 'k 1' });
    await expect(conflict).rejects.toMatchObject({
      code: 'idempotency_conflict',
      details: { task: keyed.id },
    });
  });

  it('retention/changes-nothing: stays while something of it is open or waiting to be stored', async () => {
    await using test = await start(AT_ONCE);
    await test.create({ id: 'a', agent: 'echo', review: 'manual' });
    await test.until('a', ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    await done(test, { id: 'b' });
    expect(inMemory(test)).toEqual(['a']);
  });
});

describe('a family', () => {
  it('retention/changes-nothing: leaves as a whole', async () => {
    await using test = await start(AT_ONCE);
    await test.create({ id: 'p', agent: 'echo', join: true, review: 'auto', delay_seconds: 3_600 });
    await done(test, { id: 'c1', parent: 'p' });
    expect(inMemory(test)).toContain('c1');
    for (const begin of [blockTask, unblockTask]) await begin(test.app, ref('p'), {}, 'user:test');
    await test.until('p', ({ state }) => state === 'done');
    await settled(test);
    expect(inMemory(test)).toEqual([]);
    expect((await findTask(test.app, ref('c1'))).spec.parent).toBe('p');
  });

  it('retention/changes-nothing: leaves only when its follow-ups exist, each once', async () => {
    const log = new MemoryLog();
    await using test = await start(AT_ONCE, {}, log);
    await test.create({
      id: 'a',
      agent: 'echo',
      follow_ups: [{ title: 'next', agent: 'echo', review: 'manual' }],
    } as never);
    await test.until('a-f1', ({ state }) => state === 'review');
    await settled(test);
    expect(inMemory(test)).toEqual(['a', 'a-f1']);
    await using _again = await start(AT_ONCE, {}, log);
    expect(log.messages.filter(({ subject }) => subject.includes('.a-f1.created'))).toHaveLength(1);
  });

  it('a dependency that has left memory done is met; another can never be', async () => {
    await using test = await start({ ...AT_ONCE, deadLettersMs: 0 });
    await done(test, { id: 'good' });
    await failed(test, { id: 'bad' });
    expect(inMemory(test)).toEqual([]);
    await done(test, { id: 'next', depends_on: ['good'] });
    const never = test.create({ agent: 'echo', depends_on: ['good', 'bad'] });
    await expect(never).rejects.toMatchObject({ code: 'illegal_transition' });
    await expect(never).rejects.toThrow('task bad is failed');
  });
});

describe('a dead letter', () => {
  it('is listed and can be redriven until its retention time is over', async () => {
    await using test = await start(AT_ONCE);
    await failed(test, { id: 'a' });
    await done(test, { id: 'other' });
    expect(listDeadLetters(test.app, { after: 0, limit: 10 })).toMatchObject({ dead_letters: [{ id: 'a' }] });
    await using brief = await start(DEAD_AT_ONCE);
    await failed(brief, { id: 'a' });
    expect(inMemory(brief)).toEqual([]);
    const redriven = await redriveDeadLetters(
      brief.app,
      { project: PROJECT, ids: ['a', 'b'], dry_run: false, after: 0, limit: 10 },
      'user:ann',
    );
    expect(redriven).toMatchObject({
      redriven: [],
      errors: [
        { id: 'a', code: 'task_archived' },
        { id: 'b', code: 'task_not_found' },
      ],
    });
    await expect(retryTask(brief.app, ref('a'), {}, 'user:ann')).rejects.toMatchObject({
      code: 'task_archived',
    });
  });
});

describe('a restart', () => {
  it('continues from the newest snapshot, and reads only later events', async () => {
    const log = new MemoryLog();
    const store = new MemorySnapshots();
    const snapshots = { store, every: 1 };
    const first = await start(FOREVER, { snapshots }, log);
    for (const each of ['a', 'b']) await done(first, { id: each });
    await first.create({ id: 'later', agent: 'echo', delay_seconds: 7_200 });
    await first[Symbol.asyncDispose]();
    expect(store.taken).toBeGreaterThan(0);
    const snapshot = await store.load();
    expect(snapshot?.at.tip.sequence).toBe(log.tip().sequence);

    const reads: ReadRange[] = [];
    const openJournal: EngineSettings['openJournal'] = async (handlers) => {
      const journal = new MemoryJournal(log, handlers);
      const read = journal.read.bind(journal);
      const recordingRead: typeof read = (range, fill) => {
        reads.push(range);
        return read(range, fill);
      };
      return Object.assign(journal, { read: recordingRead });
    };
    await using second = await start(FOREVER, { snapshots, openJournal }, log);
    const end = snapshot?.at.tip.sequence ?? 0;
    expect(reads).toEqual([{ from: end, to: end }, { from: end + 1 }]);
    expect(inMemory(second)).toEqual(['a', 'b', 'later']);
    await using whole = await start(FOREVER, {}, copyOf(log, snapshot?.at.tip.sequence ?? 0));
    expect(second.engine.projections.blackboard.tasks.get('demo/b')).toEqual(
      whole.engine.projections.blackboard.tasks.get('demo/b'),
    );
  });

  it('snapshots/only-a-shortcut: ignores a snapshot of another log', async () => {
    const store = new MemorySnapshots();
    const snapshots = { store, every: 1 };
    const log = new MemoryLog();
    const first = await start(FOREVER, { snapshots }, log);
    await done(first, { id: 'a' });
    await first[Symbol.asyncDispose]();
    const other = new MemoryLog();
    await using second = await start(FOREVER, { snapshots }, other);
    expect(inMemory(second)).toEqual([]);
  });
});

function copyOf(log: MemoryLog, end: number): MemoryLog {
  const copy = new MemoryLog();
  for (const message of log.messages.slice(0, end)) copy.store(message);
  return copy;
}
