import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { attemptAnswerSchema, processListSchema } from '../../../src/contracts/api/answers.ts';
import { processTreeSchema } from '../../../src/contracts/api/processes.ts';
import { commandProgram } from '../../../src/drivers/command.ts';
import type { Run, RunRequest } from '../../../src/drivers/driver.ts';
import { FunctionDriver } from '../../../src/drivers/function.ts';
import { ProgramDriver } from '../../../src/drivers/program-driver.ts';
import { createProcessRunner } from '../../../src/process/host-runner.ts';
import type { ProcessRunner } from '../../../src/process/runner.ts';
import { functionAgent, silentLogger } from '../../support/engine.ts';
import {
  Gate,
  type HttpAnswer,
  problemIn,
  startHttp,
  TASKS,
  type TestHttp,
  taskIn,
} from '../../support/http/http.ts';
import { until } from '../../support/until.ts';

const ATTEMPT = `${TASKS}/a/attempts/1`;
const CHUNK = 256 * 1_024;

describe('attempts over HTTP, with real processes', () => {
  let runner: ProcessRunner;
  beforeAll(() => {
    runner = createProcessRunner({ log: silentLogger, pollMs: 50 });
  });
  afterAll(() => runner.close());

  /** An agent that is a shell script; whatever runs at the end of a test is killed with it. */
  const start = (script: string) => {
    const program = commandProgram({
      command: ['sh', '-c', script],
      prompt: 'file',
      env: { PATH: process.env.PATH ?? '' },
      output: 'stdout',
      maxOutputBytes: 10_000_000,
    });
    const installation = `attempts-${process.pid}`;
    const driver = new ProgramDriver({ runner, url: () => null, installation }, program);
    const settings = { driver, killGraceMs: 100 };
    return startHttp({ agents: [functionAgent('worker', new Gate().handler, settings)] });
  };

  const run = async (http: TestHttp): Promise<void> => {
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'worker', max_attempts: 1, outputs: 'optional' });
    await http.test.until('a', ({ state, attempts }) => attempts > 0 && state !== 'claimed');
  };

  const end = async (http: TestHttp): Promise<void> => {
    await http.post(`${TASKS}/a/cancel`);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
  };

  const directoryOf = (http: TestHttp): string =>
    join(http.test.app.settings.directories.attempts, 'demo', 'a', '1', 'process');

  it('shows one, and answers 404 for an unknown one', async () => {
    await using http = await start('exit 3');
    await run(http);
    await http.test.until('a', ({ state }) => state === 'failed');
    const attempt = attemptAnswerSchema.parse((await http.get(ATTEMPT)).body);
    expect(attempt).toMatchObject({ attempt: 1, outcome: 'failed', exit_code: 3 });
    const missing = problemIn(await http.get(`${TASKS}/a/attempts/2`), 404, 'not_found');
    expect(missing.detail).toContain('its newest is 1');
    for (const number of ['0', 'x', '-1', '1.5', '99999999999']) {
      problemIn(await http.get(`${TASKS}/a/attempts/${number}`), 400, 'invalid_request');
    }
    problemIn(await http.get(`${TASKS}/b/attempts/1/log`), 404, 'task_not_found');
  });

  it('returns its log while it runs, part by part, and says which part is the last', async () => {
    await using http = await start(
      'echo one; echo problem >&2; until [ -e go ]; do sleep 0.02; done; echo two',
    );
    await run(http);
    const client = new SignalboxClient({ url: http.url });
    const log = (offset = 0) => client.readAttemptLog({ project: 'demo', task: 'a', attempt: 1, offset });
    await until(async () => (await log()).text === 'one\n', 'the first line');
    expect(await log()).toEqual({ text: 'one\n', offset: 0, nextOffset: 4, isComplete: false });
    expect(await log(4)).toEqual({ text: '', offset: 4, nextOffset: 4, isComplete: false });
    await writeFile(join(directoryOf(http), '..', 'work', 'go'), '');
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    expect(await log(4)).toEqual({ text: 'two\n', offset: 4, nextOffset: 8, isComplete: true });
    const errors = await client.readAttemptLog({ project: 'demo', task: 'a', attempt: 1, stream: 'stderr' });
    expect(errors).toMatchObject({ text: 'problem\n', isComplete: true });
  });

  it('returns plain text, in parts that end with a whole character; an offset past the end starts again at 0', async () => {
    // Three bytes each, so that the limit of a part falls into a character.
    await using http = await start('head -c 100000 /dev/zero | sed "s/./任/g" | tr -d "\\n"');
    await run(http);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const whole = '任'.repeat(100_000);
    await writeFile(join(directoryOf(http), 'stdout.log'), whole);
    const first = await http.sendRaw('GET', `${ATTEMPT}/log`, {});
    expect(first.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'signalbox-offset': '0',
      'signalbox-next-offset': String(CHUNK - (CHUNK % 3)),
      'signalbox-complete': 'false',
    });
    const rest = await http.sendRaw('GET', `${ATTEMPT}/log?offset=${first.headers['signalbox-next-offset']}`);
    expect(rest.headers['signalbox-complete']).toBe('true');
    expect(first.text + rest.text === whole).toBe(true);
    const past = await http.sendRaw('GET', `${ATTEMPT}/log?offset=9999999`);
    expect(past.headers['signalbox-offset']).toBe('0');
    problemIn(await http.get(`${ATTEMPT}/log?offset=-1`), 400, 'invalid_request');
    problemIn(await http.get(`${ATTEMPT}/log?stream=prompt`), 400, 'invalid_request');
  });

  it('reads no file outside the directory of the attempt, whatever replaced the log', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'signalbox-elsewhere-'));
    try {
      await using http = await start('exit 0');
      await run(http);
      await http.test.until('a', ({ openAttempt }) => openAttempt === null);
      await writeFile(join(elsewhere, 'stdout.log'), 'secret');
      const file = join(directoryOf(http), 'stdout.log');
      await rm(file);
      await symlink(join(elsewhere, 'stdout.log'), file);
      problemIn(await http.get(`${ATTEMPT}/log`), 404, 'not_found');
      await rm(directoryOf(http), { recursive: true });
      await symlink(elsewhere, directoryOf(http));
      problemIn(await http.get(`${ATTEMPT}/log`), 404, 'not_found');
      await rm(directoryOf(http));
      expect((await http.sendRaw('GET', `${ATTEMPT}/log`)).text).toBe('');
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it('lists the processes of open attempts, as trees', async () => {
    await using http = await start('sleep 300 & sleep 300');
    await run(http);
    const list = async () => processListSchema.parse((await http.get('/api/processes')).body).attempts;
    const sleeping = async () =>
      (await list())[0]?.processes?.filter(({ command }) => command === 'sleep 300') ?? [];
    await until(async () => (await sleeping()).length === 2, 'both are there');
    const [attempt] = await list();
    expect(attempt).toMatchObject({
      project: 'demo',
      task: 'a',
      attempt: 1,
      agent: 'worker',
      status: 'running',
    });
    const pids = new Set(attempt?.processes?.map(({ pid }) => pid));
    expect(pids).toContain(attempt?.pid);
    for (const { parent_pid, age_ms } of await sleeping()) {
      expect(pids).toContain(parent_pid);
      expect(age_ms).toBeLessThan(60_000);
    }
    await end(http);
    expect(await list()).toEqual([]);
  });

  it('shows the processes of one, with their CPU time and memory, until it is over', async () => {
    await using http = await start('sleep 300 & sleep 300');
    await run(http);
    const read = async () => processTreeSchema.parse((await http.get(`${ATTEMPT}/processes`)).body);
    const sleeping = async () => (await read()).processes.filter(({ command }) => command === 'sleep 300');
    await until(async () => (await sleeping()).length === 2, 'both are there');
    const { host, local, processes } = await read();
    expect({ host, local }).toEqual({ host: hostname(), local: true });
    const pids = new Set(processes.map(({ pid }) => pid));
    const tops = processes.filter(({ parent }) => parent === null);
    expect(tops).toHaveLength(1);
    for (const { parent, memory_bytes, started_at } of await sleeping()) {
      expect(pids).toContain(parent);
      expect(memory_bytes).toBeGreaterThan(10_000);
      expect(Math.abs(Date.now() - Date.parse(started_at ?? ''))).toBeLessThan(60_000);
    }
    problemIn(await http.get(`${TASKS}/a/attempts/2/processes`), 404, 'not_found');
    await end(http);
    expect(await read()).toEqual({ host: hostname(), local: true, processes: [] });
  });

  it('shows the command of one, without its token and its environment', async () => {
    const long = 'x'.repeat(1_200);
    await using http = await start(`[ -n "$SIGNALBOX_TOKEN" ] || exit 3; : ${long}`);
    await run(http);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const { body } = await http.get(ATTEMPT);
    const { command, outcome } = attemptAnswerSchema.parse(body);
    expect(outcome).toBe('completed');
    expect(command?.slice(0, 2)).toEqual(['sh', '-c']);
    expect(command?.[2]).toMatch(/^\[ -n "\$SIGNALBOX_TOKEN" \].*x…$/);
    expect(command?.[2]).toHaveLength(1_001);
    expect(JSON.stringify(body)).not.toContain(http.token('a'));
    await rm(directoryOf(http), { recursive: true });
    expect(attemptAnswerSchema.parse((await http.get(ATTEMPT)).body).command).toBeNull();
  });

  it('kills one: its processes end, the task is tried again, and the record names who asked for it', async () => {
    await using http = await start('sleep 300');
    await http.post(TASKS, { id: 'a', title: 'x', agent: 'worker', max_attempts: 2 });
    await http.test.until('a', ({ state }) => state === 'working');
    const killed = await http.post(`${ATTEMPT}/kill`, { by: 'ann' });
    expect(killed.status).toBe(202);
    expect(attemptAnswerSchema.parse(killed.body)).toMatchObject({
      status: 'stopping',
      stop_reason: 'operator',
    });
    await http.test.until('a', ({ attempts, state }) => attempts === 2 && state === 'working');
    const attempt = attemptAnswerSchema.parse((await http.get(ATTEMPT)).body);
    expect(attempt).toMatchObject({ outcome: 'killed', evidence: { survivors: 0 } });
    const { events = [] } = taskIn(await http.get(`${TASKS}/a?expand=events`));
    const stop = events.find(({ event }) => event.type === 'attempt.stop_requested');
    expect(stop).toMatchObject({ actor: 'user:ann', event: { reason: 'operator' } });

    const over = problemIn(await http.post(`${ATTEMPT}/kill`), 409, 'illegal_transition');
    expect(over.detail).toBe('attempt 1 of task a is over (killed): there is nothing to stop');
    const token = http.token('a', 2);
    problemIn(await http.post(`${TASKS}/a/attempts/2/kill`, {}, { token }), 403, 'forbidden');
    problemIn(await http.post(`${TASKS}/a/attempts/3/kill`), 404, 'not_found');
    await end(http);
  });
});

describe('attempts without processes', () => {
  it('get more time from an operator, who is named, and why says until when', async () => {
    await using http = await startHttp({ agents: [functionAgent('worker', new Gate().handler)] });
    await http.working('a');
    const deadlineOf = ({ body }: HttpAnswer): number =>
      Date.parse(attemptAnswerSchema.parse(body).deadline ?? '');
    const before = deadlineOf(await http.get(ATTEMPT));
    const extended = await http.post(`${ATTEMPT}/extend`, { seconds: 600, by: 'ann' });
    expect(extended.status).toBe(200);
    expect(deadlineOf(extended)).toBe(before + 600_000);
    const { next } = (await http.get(`${TASKS}/a/why`)).body as { next: string };
    expect(next).toContain(new Date(before + 600_000).toISOString());
    const { events = [] } = taskIn(await http.get(`${TASKS}/a?expand=events`));
    const actor = 'user:ann';
    expect(events.at(-1)).toMatchObject({
      actor,
      event: { type: 'attempt.extended', deadline_ms: before + 600_000 },
    });

    const seen = http.events;
    for (const seconds of [0, -1, '10m', 1e9]) {
      problemIn(await http.post(`${ATTEMPT}/extend`, { seconds }), 400, 'invalid_request');
    }
    const token = http.token('a');
    problemIn(await http.post(`${ATTEMPT}/extend`, { seconds: 60 }, { token }), 403, 'forbidden');
    problemIn(await http.post(`${TASKS}/a/attempts/2/extend`, { seconds: 60 }), 404, 'not_found');
    expect(http.events).toBe(seen);
    await http.post(`${TASKS}/a/cancel`);
    await http.test.until('a', ({ openAttempt }) => openAttempt === null);
    const over = problemIn(await http.post(`${ATTEMPT}/extend`, { seconds: 60 }), 409, 'illegal_transition');
    expect(over.detail).toBe('attempt 1 of task a is over: it cannot get more time');
  });

  it('have no tree and an empty log', async () => {
    await using http = await startHttp({ agents: [functionAgent('worker', new Gate().handler)] });
    await http.working('a');
    const client = new SignalboxClient({ url: http.url });
    expect((await client.listProcesses()).attempts).toMatchObject([
      { task: 'a', driver: 'function', processes: null },
    ]);
    expect(await client.readAttemptLog({ project: 'demo', task: 'a', attempt: 1 })).toMatchObject({
      text: '',
      isComplete: false,
    });
    expect(await client.readAttempt({ project: 'demo', task: 'a', attempt: 1 })).toMatchObject({
      status: 'running',
      command: null,
    });
    const tree = processTreeSchema.parse((await http.get(`${ATTEMPT}/processes`)).body);
    expect(tree).toEqual({ host: hostname(), local: true, processes: [] });
    expect(await client.killAttempt({ project: 'demo', task: 'a', attempt: 1, by: 'ann' })).toMatchObject({
      stop_reason: 'operator',
    });
  });

  it('shows no processes of an attempt on another machine', async () => {
    class Elsewhere extends FunctionDriver {
      override readonly startsWithClaim = { host: 'elsewhere.example' };
      override start(order: RunRequest): Run {
        return { ...super.start(order), start: this.startsWithClaim };
      }
    }
    const driver = new Elsewhere(new Gate().handler, () => Date.now());
    await using http = await startHttp({ agents: [functionAgent('worker', () => undefined, { driver })] });
    await http.working('a');
    const tree = processTreeSchema.parse((await http.get(`${ATTEMPT}/processes`)).body);
    expect(tree).toEqual({ host: 'elsewhere.example', local: false, processes: [] });
  });
});
