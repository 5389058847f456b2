import { describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS, taskIn } from '../../support/http/http.ts';

const DEPTH = 3;
const LIMITS = {
  concurrency: 1,
  projectConcurrency: 1,
  queueDepth: DEPTH,
  backlog: 100,
  maxEventBytes: 900_000,
};

const start = () => startHttp({ agents: [functionAgent('worker', new Gate().handler)], limits: LIMITS });

async function full() {
  const http = await start();
  await http.working('running');
  for (let number = 1; number <= DEPTH; number++) {
    taskIn(await http.post(TASKS, { id: `t${number}`, title: 'x', agent: 'worker' }), 201);
  }
  return http;
}

describe('HTTP with a full queue', () => {
  it('answers 503 to new tasks with Retry-After in whole seconds, and records nothing', async () => {
    await using http = await full();
    const before = http.events;
    for (let number = 0; number < 5; number++) {
      const answer = await http.post(TASKS, { title: 'x', agent: 'worker' });
      expect(problemIn(answer, 503, 'overloaded').detail).toContain(`the limit is ${DEPTH}`);
      const seconds = answer.headers.get('retry-after') ?? '';
      expect(seconds).toMatch(/^[1-9]\d?$/);
    }
    expect(http.events).toBe(before);
  });

  it('still answers reads, and accepts messages of agents and decisions', async () => {
    await using http = await full();
    const reads = [
      ...['', '/t1', '/t1?expand=all', '/t1/why', '/running/attempts', '/running/attempts/1'].map(
        (path) => TASKS + path,
      ),
      ...['/api/tasks', '/api/agents', '/api/agents/worker', '/api/dead-letters', '/api/processes'],
    ];
    for (const path of reads) expect([path, (await http.get(path)).status]).toEqual([path, 200]);
    const sent = { token: http.token('running') };
    taskIn(await http.post(`${TASKS}/running/status`, { status: 'working', detail: 'x' }, sent));
    taskIn(await http.post(`${TASKS}/running/heartbeat`, {}, sent));
    taskIn(await http.post(`${TASKS}/t1/comments`, { author: 'ann', body: 'x' }), 201);
    // What is there already is no new work.
    taskIn(await http.post(TASKS, { id: 't1', title: 'x', agent: 'worker' }), 200);
  });

  it('accepts new tasks when there is room; a client that respects Retry-After succeeds', async () => {
    await using http = await full();
    const waits: number[] = [];
    const client = new SignalboxClient({
      url: http.url,
      retry: {
        sleep: async (ms) => {
          waits.push(ms);
          await http.post(`${TASKS}/t1/cancel`);
        },
      },
    });
    const input = { project: 'demo', id: 'late', title: 'x', agent: 'worker' };
    expect((await client.request('createTask', input)).status).toBe(201);
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(1_000);
  });
});
