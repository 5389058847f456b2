/** Redaction: content is erased, and the log stays complete. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newProjections } from '../../../projections/index.ts';
import { addComment } from '../../../src/app/agents/agent-messages.ts';
import { findTask } from '../../../src/app/context.ts';
import { redactContent } from '../../../src/app/tasks/redact.ts';
import { redactSchema } from '../../../src/contracts/api/requests.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { ActorHost } from '../../../src/engine/runtime/actor-host.ts';
import { rebuild } from '../../../src/engine/runtime/rebuild.ts';
import { withTombstones } from '../../../src/journal/redactions.ts';
import { LOCAL } from '../../support/decisions.ts';
import { functionAgent, PROJECT, startEngine, type TestEngine } from '../../support/engine.ts';
import { MemorySnapshots } from '../../support/history/memory-snapshots.ts';
import { MemoryJournal, MemoryLog } from '../../support/memory-journal.ts';
import { until } from '../../support/until.ts';

const SECRET = 'the password is hunter2';

const agents = [
  functionAgent('leaky', () => SECRET),
  functionAgent('broken', () => {
    throw new Error(SECRET);
  }),
];

async function replayed(log: MemoryLog): Promise<string> {
  const journal = new MemoryJournal(log, { onStored: () => {}, onState: () => {} });
  const projections = newProjections();
  await rebuild(withTombstones(journal).read({ from: 1 }), new ActorHost(), projections);
  return projections.toText();
}

function redact(test: TestEngine, task: string, part: object) {
  const request = redactSchema.parse({ reason: 'a test', ...part });
  return redactContent(test.app, { project: PROJECT, task }, request, 'user:test');
}

function bytesOf(log: MemoryLog): string {
  return log.messages.map(({ bytes }) => Buffer.from(bytes).toString()).join('\n');
}

describe('redaction', () => {
  it('events/redaction-same-state: replaces every kind of content, and the log replays to the same state', async () => {
    const log = new MemoryLog();
    await using test = await startEngine({ agents }, log);
    const { id } = await test.create({
      agent: 'leaky',
      title: SECRET,
      description: SECRET,
      params: { secret: SECRET },
      must_haves: [SECRET],
      labels: { label: SECRET },
      links: [`https://example.org/${SECRET}`],
      follow_ups: [{ title: SECRET, description: SECRET, agent: 'leaky', outputs: 'required' }],
      review: 'manual',
    });
    await test.until(id, ({ state, openAttempt }) => state === 'review' && openAttempt === null);
    await addComment(test.app, { project: PROJECT, task: id }, { author: 'ann', body: SECRET }, LOCAL);
    const broken = await test.create({ agent: 'broken', title: 'x', max_attempts: 1 });
    await test.until(broken.id, ({ state }) => state === 'failed');
    expect(await replayed(log)).toBe(test.engine.projections.toText());

    await redact(test, id, { output: 1 });
    await redact(test, id, { comment: 1 });
    await redact(test, id, { description: true });
    await redact(test, broken.id, { attempt: 1 });

    const state = test.engine.projections.toText();
    expect(state).not.toContain('hunter2');
    expect(bytesOf(log)).not.toContain('hunter2');
    expect(await replayed(log)).toBe(state);
    const task = test.engine.projections.blackboard.tasks.get(taskKey({ project: PROJECT, task: id }));
    expect(task).toMatchObject({
      spec: { title: '[redacted]', description: '[redacted]' },
      outputs: [{ content: '[redacted]' }],
      comments: [{ author: 'ann', body: '[redacted]' }],
    });
    expect(
      test.engine.projections.blackboard.tasks.get(taskKey({ project: PROJECT, task: broken.id }))?.reason,
    ).toBe('[redacted]');
    const types = (await test.history(task ?? broken)).map(({ event: { type } }) => type);
    expect(types.filter((type) => type === 'task.output_added')).toHaveLength(1);
    expect(types.filter((type) => type === 'task.redacted')).toHaveLength(3);
  });

  it('keeps the later decisions of users', async () => {
    const log = new MemoryLog();
    await using test = await startEngine({ agents }, log);
    const { id } = await test.create({ agent: 'broken', title: 'x', max_attempts: 2 });
    await test.until(id, ({ state }) => state === 'failed');
    await redact(test, id, { attempt: 1 });
    expect(
      test.engine.projections.blackboard.tasks.get(taskKey({ project: PROJECT, task: id }))?.reason,
    ).toBe(SECRET);
    expect(await replayed(log)).toBe(test.engine.projections.toText());
  });

  it('is finished by the next start after a crash between the event and the erasure', async () => {
    const log = new MemoryLog();
    const first = await startEngine({ agents }, log);
    const { id } = await first.create({ agent: 'leaky', title: 'x' });
    await first.until(id, ({ state }) => state === 'done');
    first.app.log.messages.erase = async () => {
      throw new Error('crashed here');
    };
    await expect(redact(first, id, { output: 1 })).rejects.toThrow('crashed here');
    const state = first.engine.projections.toText();
    expect(bytesOf(log)).toContain('hunter2');
    expect(await replayed(log)).toBe(state);
    await first[Symbol.asyncDispose]();

    await using second = await startEngine({ agents }, log);
    expect(bytesOf(log)).not.toContain('hunter2');
    expect(second.engine.projections.toText()).not.toContain('hunter2');
    expect(await replayed(log)).toBe(second.engine.projections.toText());
  });

  it('is recorded once for repeated requests, and finished if it was not', async () => {
    const log = new MemoryLog();
    await using test = await startEngine({ agents }, log);
    const { id } = await test.create({ agent: 'leaky', title: 'x' });
    await test.until(id, ({ state }) => state === 'done');
    const erase = test.app.log.messages.erase;
    test.app.log.messages.erase = () => Promise.reject(new Error('unreachable'));
    await expect(redact(test, id, { output: 1 })).rejects.toThrow('unreachable');
    test.app.log.messages.erase = erase;
    await redact(test, id, { output: 1 });
    const { sequence } = test.engine.projections;
    await redact(test, id, { output: 1 });
    expect(test.engine.projections.sequence).toBe(sequence);
    expect(bytesOf(log)).not.toContain('hunter2');
  });

  it('deletes the captured file, unless another output is the same one', async () => {
    const log = new MemoryLog();
    await using test = await startEngine(
      { agents: [functionAgent('idle', () => new Promise(() => {}), { concurrency: 2 })] },
      log,
    );
    const { content } = test.app.settings.directories;
    await mkdir(content, { recursive: true });
    const sha256 = 'ab'.repeat(32);
    const file = join(content, sha256);
    await writeFile(file, SECRET);
    for (const id of ['a', 'b']) {
      await test.create({ id, agent: 'idle', title: 'x' });
      const { openAttempt } = await test.until(id, ({ state }) => state === 'working');
      const output = {
        type: 'data',
        title: 'f',
        agent: 'idle',
        content_file: { path: '/f', size: 1, sha256 },
      } as const;
      const event = {
        type: 'task.output_added',
        project: PROJECT,
        task: id,
        attempt: openAttempt,
        output,
      } as const;
      await test.app.log.commit(event, { actor: 'agent:idle' });
    }
    await redact(test, 'a', { output: 1 });
    await access(file);
    await redact(test, 'b', { output: 1 });
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('is refused without a record for events without content and for unknown events', async () => {
    const log = new MemoryLog();
    await using test = await startEngine({ agents }, log);
    // It waits, so that its claim is not stored with its creation.
    const { id } = await test.create({ agent: 'leaky', title: 'x', delay_seconds: 0.02 });
    await test.until(id, ({ state }) => state === 'done');
    const before = log.messages.length;
    const claim = (await test.history(await test.until(id, () => true))).find(
      ({ event }) => event.type === 'task.claimed',
    );
    await expect(redact(test, id, { event: claim?.sequence })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(redact(test, id, { output: 2 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(redact(test, id, { event: 1 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(redact(test, 'none', { output: 1 })).rejects.toMatchObject({ code: 'task_not_found' });
    expect(log.messages.length).toBe(before);
  });

  it('works for a task that has left memory', async () => {
    const log = new MemoryLog();
    const retention = { finishedMs: 0, deadLettersMs: 0, tasks: 0 };
    await using test = await startEngine({ agents, retention }, log);
    await test.create({ id: 'gone', agent: 'leaky', title: SECRET });
    await until(() => test.app.state.retention.forgotten > 0, 'the task to leave memory');
    await redact(test, 'gone', { description: true });
    const task = await redact(test, 'gone', { output: 1 });
    expect(task).toMatchObject({
      state: 'done',
      spec: { title: '[redacted]' },
      outputs: [{ content: '[redacted]' }],
    });
    expect(bytesOf(log)).not.toContain('hunter2');
    await using second = await startEngine({ agents, retention }, log);
    expect(await findTask(second.app, { project: PROJECT, task: 'gone' })).toEqual(task);
  });

  it('leaves no snapshot with the content', async () => {
    const log = new MemoryLog();
    const store = new MemorySnapshots();
    const settings = { agents, snapshots: { store, every: 1 } };
    const first = await startEngine(settings, log);
    const { id } = await first.create({ agent: 'leaky', title: 'x' });
    await first.until(id, ({ state }) => state === 'done');
    await until(() => store.taken > 0, 'a snapshot');
    await redact(first, id, { output: 1 });
    expect(JSON.stringify(await store.load())).not.toContain('hunter2');
    await first[Symbol.asyncDispose]();
    await using second = await startEngine(settings, log);
    expect(await replayed(log)).toBe(second.engine.projections.toText());
  });

  it('is the only reason for a missing message: without one it is a gap', async () => {
    const log = new MemoryLog();
    const test = await startEngine({ agents }, log);
    const { id } = await test.create({ agent: 'leaky', title: 'x' });
    await test.until(id, ({ state }) => state === 'done');
    await redact(test, id, { output: 1 });
    await test[Symbol.asyncDispose]();
    log.messages.splice(3, 1);
    await expect(replayed(log)).rejects.toMatchObject({ code: 'log_corrupt' });
  });
});
