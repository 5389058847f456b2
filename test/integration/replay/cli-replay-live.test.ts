/** The commands that read the log, beside a Signalbox that writes it. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { stateAnswerSchema } from '../../../src/contracts/api/system-answers.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import type { LogEntry } from '../../../src/engine/runtime/commit-pipeline.ts';
import { openJetStreamJournal } from '../../../src/journal/jetstream/jetstream-journal.ts';
import type { JournalHandlers } from '../../../src/journal/journal.ts';
import { functionAgent, PROJECT } from '../../support/engine.ts';
import { MemorySnapshots } from '../../support/history/memory-snapshots.ts';
import { Gate, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { natsServer, type TestNatsServer } from '../../support/nats/nats.ts';
import { type CliProcess, startCli, startUp } from '../../support/process/cli.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const WORK = ['good', 'bad', 'slow'] as const;
const WRITING_PAUSE_MS = 20;

const snapshots = new MemorySnapshots();
let nats: TestNatsServer;
let http: TestHttp;
let closeConnection: () => Promise<void>;

function natsUrl(): string {
  const { user = '', pass = '' } = nats.connectOptions;
  return nats.url.replace('//', `//${user}:${encodeURIComponent(pass)}@`);
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new RecordedTerminal();
  const code = await runProgram(terminal, [...args, '--nats-url', natsUrl()], {});
  return { code, out: terminal.out, err: terminal.err };
}

const rebuild = (...args: string[]) => run('rebuild', '--url', http.url, ...args);

beforeAll(async () => {
  nats = await natsServer();
  const connection = await connect(nats.connectOptions);
  closeConnection = () => connection.close();
  const gate = new Gate();
  http = await startHttp({
    openJournal: (handlers: JournalHandlers<LogEntry>) => openJetStreamJournal(connection, handlers),
    snapshots: { store: snapshots, every: 1_000_000 },
    agents: [
      functionAgent('good', () => 'done', { concurrency: 5 }),
      functionAgent('bad', () => {
        throw new Error('broke');
      }),
      functionAgent('slow', gate.handler),
    ],
  });
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await closeConnection();
  await nats.stop();
});

async function create(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await http.post(TASKS, { title: `task ${index}`, agent: WORK[index % WORK.length], max_attempts: 2 });
  }
}

describe('rebuild beside a running Signalbox', () => {
  beforeEach(() => create(6));

  it('gives the live state, entry by entry, while Signalbox keeps writing', async () => {
    let isOver = false;
    const busy = (async () => {
      // In steps: a log that is made longer makes every rebuild below longer.
      for (; !isOver; await sleep(WRITING_PAUSE_MS)) await create(3);
    })();
    for (let round = 0; round < 5; round++) {
      const { code, out } = await rebuild('--json');
      expect(JSON.parse(out)).toMatchObject({ ok: true, differences: [], compared: { url: http.url } });
      expect(code).toBe(0);
      expect(JSON.parse(out).compared.entries).toBeGreaterThan(6);
    }
    isOver = true;
    await busy;
    expect((await rebuild()).out).toMatch(
      /\nidentical to the live state at http:.*: \d+ entries compared\n$/,
    );
  });

  it('names each task that differs from the log, with exit code 6', async () => {
    const { blackboard, attempts, throughput } = http.test.engine.projections;
    const task = [...blackboard.tasks.values()].find(({ attempts: number }) => number > 0);
    if (!task) throw new Error('nothing was tried yet');
    const key = taskKey({ project: PROJECT, task: task.id });
    const history = attempts.byTask.get(key) ?? [];
    blackboard.tasks.set(key, { ...task, reason: 'made up' });
    blackboard.tasks.set(`${PROJECT}/phantom`, { ...task, id: 'phantom' });
    attempts.byTask.delete(key);
    throughput.running.set(`${PROJECT}/phantom`, 0);
    try {
      const { code, out } = await rebuild('--json');
      expect(code).toBe(6);
      const { differences } = JSON.parse(out) as { differences: { part: string; key: string }[] };
      expect(differences).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ part: 'task', key, live: expect.any(String) }),
          expect.objectContaining({ part: 'task', key: `${PROJECT}/phantom`, rebuilt: null }),
          expect.objectContaining({ part: 'attempts', key, live: null }),
          expect.objectContaining({ part: 'throughput', key: '' }),
        ]),
      );
      expect(differences).toHaveLength(4);
      expect((await rebuild()).out).toContain(`  attempts ${key} is missing in the live state, at event `);
    } finally {
      blackboard.tasks.set(key, task);
      blackboard.tasks.delete(`${PROJECT}/phantom`);
      throughput.running.delete(`${PROJECT}/phantom`);
      attempts.byTask.set(key, history);
    }
  });

  it('--drop-snapshots makes the running Signalbox drop them, but only if it writes this log', async () => {
    const drop = vi.spyOn(snapshots, 'drop');
    const { code, out } = await rebuild('--drop-snapshots');
    expect(code).toBe(0);
    expect(out).toContain(`\ndropped the snapshots of ${http.url}: the next start reads the whole log\n`);
    expect(drop).toHaveBeenCalledTimes(1);
    const { tasks } = http.test.engine.projections.blackboard;
    await http.test.when(() => [...tasks.values()].find(({ state }) => state === 'done'));
    const entry = [...tasks].find(([, { state }]) => state === 'done');
    if (!entry) throw new Error('nothing is done');
    tasks.set(entry[0], { ...entry[1], reason: 'made up' });
    const differs = await rebuild('--drop-snapshots');
    tasks.set(...entry);
    expect(differs.code).toBe(6);
    expect(differs.out).toMatch(
      /DIFFERS from the live state[\s\S]+\nTo continue with the state of the log: stop Signalbox, run/,
    );
    expect(drop).toHaveBeenCalledTimes(2);
    const writer = vi.spyOn(http.test.engine.host, 'get').mockReturnValue(undefined);
    const other = await rebuild('--drop-snapshots');
    writer.mockRestore();
    expect(other.err).toContain('[log_mismatch]');
    expect(drop).toHaveBeenCalledTimes(2);
    drop.mockRestore();
  });

  it('accepts finished tasks that have left memory, and reports others as missing', async () => {
    const { app, engine } = http.test;
    await http.test.when(() => (engine.host.unfinishedTasks < 50 ? true : undefined));
    const { blackboard, attempts } = engine.projections;
    const task = [...blackboard.tasks.values()].find(({ state }) => state === 'done');
    if (!task) throw new Error('nothing is done');
    const key = taskKey({ project: PROJECT, task: task.id });
    const history = attempts.byTask.get(key) ?? [];
    const forgotten = app.state.retention.forgotten;
    const tasks = [...blackboard.tasks];
    engine.projections.forgetTask(key);
    const lost = await rebuild();
    expect(lost.code).toBe(6);
    expect(lost.out).toContain(
      '  1 finished tasks are not in memory, but only 0 were removed from it, at event ',
    );
    const counted = vi.spyOn(app.state.retention, 'forgotten', 'get').mockReturnValue(forgotten + 1);
    expect((await rebuild()).out).toMatch(/entries compared; 1 finished tasks are no longer in memory\n$/);
    counted.mockRestore();
    blackboard.tasks.clear();
    for (const [id, view] of tasks) blackboard.tasks.set(id, view);
    attempts.byTask.set(key, history);
  });

  it('gets the live state page by page, each page with its sequence', async () => {
    const first = stateAnswerSchema.parse((await http.get('/api/state?limit=2')).body);
    expect(first).toMatchObject({ forgotten: 0, next: expect.any(Number) });
    expect(first.entries.filter(({ part }) => part === 'task')).toHaveLength(2);
    const rest = stateAnswerSchema.parse((await http.get(`/api/state?after=${first.sequence}`)).body);
    const others = rest.entries
      .map(({ part, key }) => `${part} ${key}`)
      .filter((name) => !/^(task|att)/.test(name));
    expect(others).toEqual([
      'counts ',
      'agent good',
      'agent bad',
      'agent slow',
      'throughput ',
      'usage page 0',
      'usage totals',
    ]);
    expect(rest).toMatchObject({ next: null, writer: first.writer });
    expect((await http.get('/api/state?limit=1001')).status).toBe(400);
  });

  it('refuses to compare with a Signalbox on another log', async () => {
    await using other = await startHttp({ agents: [functionAgent('good', () => 'done')] });
    const { code, err } = await run('rebuild', '--url', other.url);
    expect(err).toMatch(/writes another log .*--url \[log_mismatch\]/);
    expect(code).toBe(1);
  });

  it('says so if none is running, and rebuilds anyway', async () => {
    const { code, out } = await run('rebuild', '--url', 'http://127.0.0.1:9');
    expect(code).toBe(0);
    expect(out).toMatch(/the hash chain and every transition are valid\nnot compared: no Signalbox .*:9\n$/);
  });
});

describe('events tail beside a running Signalbox', () => {
  const tail = (...args: string[]): Promise<CliProcess> =>
    startCli(['events', 'tail', '--nats-url', natsUrl(), ...args]);

  it('prints stored and new events of one task, and ends with Ctrl-C', async () => {
    await http.post(TASKS, { id: 'followed', title: 'x', agent: 'good' });
    await http.test.until('followed', ({ state }) => state === 'done');
    await using following = await tail('--from', '1', '--project', PROJECT, '--task', 'followed');
    await following.until(/demo\/followed {2}.* review → done +task.approved/);
    await http.post(`${TASKS}/followed/comments`, { author: 'ann', body: 'seen live' });
    await following.until(/task.comment_added +by ann: seen live\n/);
    following.signal('SIGINT');
    const { code, err, out } = await following.ended;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').filter((line) => line !== '' && !line.includes('demo/followed'))).toEqual([]);
  });

  it('prints new events as JSON, and ends when its output is closed', async () => {
    await using following = await tail('--json', '--type', 'task.created');
    // It says nothing before something happens: so things happen until it is there.
    const seen = following.until(/"task":"new-\d+"/);
    let isSeen = false;
    void seen.finally(() => {
      isSeen = true;
    });
    for (let number = 0; !isSeen; number++, await sleep(WRITING_PAUSE_MS)) {
      await http.post(TASKS, { id: `new-${number}`, title: 'x', agent: 'good' });
    }
    await seen;
    const line = JSON.parse(following.out.split('\n')[0] ?? '');
    expect(line).toMatchObject({ sequence: expect.any(Number), event: { type: 'task.created' } });
    following.closeOutput();
    await create(1);
    expect((await following.ended).code).toBe(0);
  });
});

describe('the log of an embedded server', () => {
  it('can be read while Signalbox runs, and after its stop', { timeout: 90_000 }, async () => {
    await using up = await startUp('agents: { absent: { driver: dry_run } }\n');
    const task = await up.client.createTask({
      project: 'default',
      title: 'x',
      agent: 'absent',
      review: 'auto',
    });
    await up.settled(task.id);
    const settings = { cwd: up.directory };
    const shown = async () => {
      const { code, out, err } = await up.run(['replay', '--task', task.id, '--json'], settings);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      return (JSON.parse(out) as { task: unknown }).task;
    };
    const live = await up.client.readTask({
      project: 'default',
      task: task.id,
      expand: ['outputs', 'comments', 'attempts'],
    });
    expect(await shown()).toEqual(live);
    const compared = await up.run(['rebuild', '--url', up.url], settings);
    expect(compared).toMatchObject({
      code: 0,
      out: expect.stringContaining('\nidentical to the live state at '),
    });
    up.process.signal('SIGTERM');
    await up.process.ended;
    expect(await shown()).toEqual(live);
    const snapshotDirectory = join(up.directory, '.signalbox', 'snapshots');
    expect(await readdir(snapshotDirectory)).toHaveLength(1);
    const dropped = await up.run(['rebuild', '--drop-snapshots', '--json'], settings);
    expect(JSON.parse(dropped.out)).toMatchObject({
      ok: true,
      compared: null,
      snapshots_dropped: join(up.directory, '.signalbox'),
    });
    await expect(readdir(snapshotDirectory)).rejects.toThrow('ENOENT');
    const tailed = await up.run(['events', 'tail', '--from', '1'], settings);
    expect(tailed).toMatchObject({
      code: 0,
      err: 'no Signalbox is running on this log: no new events will follow\n',
    });
    expect(tailed.out).toMatch(
      /supervisor.draining +SIGTERM\n(.*supervisor.checkpointed *\n)?.*supervisor.stopped +stopped\n$/,
    );
  });
});
