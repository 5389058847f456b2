/** What a dashboard draws. */
import { describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../../src/base/environment.ts';
import { machineListSchema } from '../../../src/contracts/api/machines.ts';
import { throughputSchema } from '../../../src/contracts/api/throughput.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, HEALTHY, problemIn, startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';

const start = () => startHttp({ agents: [functionAgent('worker', new Gate().handler)] });

describe('the machines over HTTP', () => {
  it('are all shown, as graphs', async () => {
    await using http = await start();
    const { machines } = machineListSchema.parse((await http.get('/api/machines')).body);
    expect(machines.map(({ name }) => name)).toEqual([
      'task',
      'attempt',
      'workspace',
      'agent',
      'queue',
      'schedule',
      'budget',
      'supervisor',
    ]);
    const [task] = machines;
    expect(task?.states).toContainEqual({ name: 'done', kind: 'final' });
    expect(task?.transitions).toContainEqual({
      from: 'pending',
      to: 'claimed',
      event: 'task.claimed',
      guard: 'isClaimable',
    });
  });
});

describe('the versions over HTTP', () => {
  it('need no token, and are those of Signalbox, Node.js and the NATS server', async () => {
    await using http = await start();
    expect((await http.get('/api/version')).body).toEqual({
      version: HEALTHY.version,
      node_version: process.version,
      nats_version: HEALTHY.nats.version,
    });
  });
});

describe('the throughput over HTTP', () => {
  const NOON = Date.UTC(2025, 5, 1, 12, 0, 30);
  const ahead = { ms: 0 };
  /** A clock that stands still but for what a test adds; what is scheduled comes at its real time. */
  const clock = { ...systemEnvironment.clock, now: () => NOON + ahead.ms };
  const environment = { ...systemEnvironment, clock };

  const read = async (http: TestHttp, query = '') =>
    throughputSchema.parse((await http.get(`/api/throughput${query}`)).body);

  it('has a bucket for each minute up to now, with counts and durations', async () => {
    ahead.ms = 0;
    const gate = new Gate();
    const agents = [functionAgent('worker', gate.handler, { concurrency: 2 })];
    await using http = await startHttp({ agents, environment });
    await http.post(TASKS, { id: 'later', title: 'x', agent: 'worker', delay_seconds: 3_600 });
    for (const id of ['a', 'b']) {
      await http.post(TASKS, { id, title: 'x', agent: 'worker', outputs: 'optional' });
      await http.test.until(id, ({ state }) => state === 'working');
    }
    ahead.ms = 60_000;
    gate.open();
    for (const id of ['a', 'b']) await http.test.until(id, ({ state }) => state === 'done');
    await http.post(`${TASKS}/later/cancel`);

    const { from, to, buckets, bucket_seconds } = await read(http, '?minutes=4');
    expect({ from, to, bucket_seconds }).toEqual({
      from: '2025-06-01T11:58:00.000Z',
      to: '2025-06-01T12:02:00.000Z',
      bucket_seconds: 60,
    });
    const none = { created: 0, started: 0, completed: 0, failed: 0, retried: 0, cancelled: 0 };
    const empty = { ...none, waiting_ms: null, running_ms: null };
    expect(buckets).toEqual([
      { ...empty, time: '2025-06-01T11:58:00.000Z' },
      { ...empty, time: '2025-06-01T11:59:00.000Z' },
      {
        ...empty,
        time: '2025-06-01T12:00:00.000Z',
        created: 3,
        started: 2,
        waiting_ms: { p50: 0, p95: 0, p99: 0 },
      },
      {
        ...empty,
        time: '2025-06-01T12:01:00.000Z',
        completed: 2,
        cancelled: 1,
        running_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      },
    ]);
    expect(Math.abs((buckets[3]?.running_ms?.p50 ?? 0) - 60_000)).toBeLessThanOrEqual(60_000 / 16);
    expect(await read(http, '?minutes=4&project=demo')).toEqual({ from, to, buckets, bucket_seconds });
    const other = await read(http, '?minutes=1440&project=other');
    expect(other.buckets).toHaveLength(1_440);
    expect(other.buckets.every(({ created, running_ms }) => created === 0 && running_ms === null)).toBe(true);
    expect((await read(http)).buckets).toHaveLength(60);
  });

  it('refuses minutes and projects that it does not have', async () => {
    await using http = await start();
    for (const query of ['minutes=0', 'minutes=1441', 'minutes=x', 'project=a/b', 'hours=1']) {
      problemIn(await http.get(`/api/throughput?${query}`), 400, 'invalid_request');
    }
  });
});
