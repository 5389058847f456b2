/** Finding tasks, looking at queues, and reading figures. */
import { describe, expect, it } from 'vitest';
import { queueListSchema, taskPageSchema } from '../../../src/contracts/api/answers.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, problemIn, startHttp, TASKS } from '../../support/http/http.ts';

async function start() {
  const http = await startHttp({
    agents: [
      functionAgent('worker', new Gate().handler, { capabilities: ['review'] }),
      functionAgent('quick', () => 'ok'),
    ],
  });
  await http.working('running');
  const tasks = [
    { id: 'parent', title: 'Release 1.0', agent: 'worker', labels: { team: 'core', url: 'a=b' } },
    {
      id: 'one',
      title: 'Review the parser',
      type: 'review',
      description: 'Look for LEAKS',
      parent: 'parent',
    },
    { id: 'two', title: 'Review the lexer', type: 'review', delay_seconds: 60, labels: { team: 'web' } },
    { id: 'odd', title: 'Cook', type: 'cooking' },
  ];
  for (const task of tasks) expect((await http.post(TASKS, task)).status).toBe(201);
  return http;
}

describe('finding tasks', () => {
  const FOUND: ReadonlyArray<[query: string, ids: readonly string[]]> = [
    ['type=review', ['one', 'two']],
    ['parent=parent', ['one']],
    ['label=team=core', ['parent']],
    ['label=url=a=b', ['parent']],
    ['label=team=none', []],
    ['q=review', ['one', 'two']],
    ['q=leaks+PARSER', ['one']],
    ['q=leaks+lexer', []],
    ['q=review&status=scheduled', ['two']],
    ['q=review&state=scheduled', ['two']],
    ['agent=worker', ['running', 'parent']],
  ];
  it('finds them by filters and by words', async () => {
    await using http = await start();
    for (const [query, expected] of FOUND) {
      const { tasks } = taskPageSchema.parse((await http.get(`${TASKS}?${query}`)).body);
      expect([query, tasks.map(({ id }) => id)]).toEqual([query, expected]);
    }
    problemIn(await http.get(`${TASKS}?label=team`), 400, 'invalid_request');
  });

  it('returns matches page by page', async () => {
    await using http = await start();
    const ids: string[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const answer = await http.get(`${TASKS}?q=review&limit=1&after=${after}`);
      const page = taskPageSchema.parse(answer.body);
      ids.push(...page.tasks.map(({ id }) => id));
      after = page.next;
    }
    expect(ids).toEqual(['one', 'two']);
  });

  it('answers 304 to a client that has the same list, until the next event', async () => {
    await using http = await start();
    for (const path of [TASKS, '/api/tasks', '/api/agents', '/api/queues', '/api/dead-letters']) {
      const etag = (await http.get(path)).headers.get('etag') ?? '';
      const headers = { 'if-none-match': etag };
      expect(await http.get(path, { headers })).toMatchObject({ status: 304, body: null });
      await http.post(`${TASKS}/odd/comments`, { author: 'ann', body: 'x' });
      expect((await http.get(path, { headers })).status).toBe(200);
    }
  });
});

describe('the queues', () => {
  it('shows how many tasks wait for each agent and type, since when, and which agents may take them', async () => {
    await using http = await start();
    const { queues } = queueListSchema.parse((await http.get('/api/queues')).body);
    expect(queues).toEqual([
      {
        kind: 'agent',
        name: 'quick',
        pending: 0,
        scheduled: 0,
        oldest_pending_at: null,
        agents: ['quick'],
        paused: null,
      },
      expect.objectContaining({ kind: 'agent', name: 'worker', pending: 1, agents: ['worker'] }),
      expect.objectContaining({ kind: 'type', name: 'cooking', pending: 1, agents: [] }),
      expect.objectContaining({ kind: 'type', name: 'review', pending: 1, scheduled: 1, agents: ['worker'] }),
    ]);
    const { created_at } = (await http.get(`${TASKS}/parent`)).body as { created_at: string };
    expect(queues[1]?.oldest_pending_at).toBe(created_at);
  });
});

describe('the metrics for Prometheus', () => {
  it('counts tasks, attempts, queues, commits and requests', async () => {
    await using http = await start();
    await http.post(TASKS, { id: 'fast', title: 'x', agent: 'quick', review: 'auto' });
    await http.test.until('fast', ({ state }) => state === 'done');
    const response = await fetch(`${http.url}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const value = (line: string): number =>
      Number(
        text
          .split('\n')
          .find((each) => each.startsWith(`${line} `))
          ?.slice(line.length),
      );
    expect(value('signalbox_tasks{state="pending"}')).toBe(3);
    expect(value('signalbox_tasks{state="done"}')).toBe(1);
    expect(value('signalbox_attempts_total{outcome="completed"}')).toBe(1);
    expect(value('signalbox_queue_depth{kind="type",name="review"}')).toBe(1);
    expect(value('signalbox_queue_oldest_age_seconds{kind="type",name="review"}')).toBeGreaterThanOrEqual(0);
    expect(value('signalbox_open_attempts')).toBe(1);
    expect(value('signalbox_commit_duration_seconds_count')).toBeGreaterThan(5);
    expect(value('signalbox_event_loop_delay_seconds{percentile="99"}')).toBeGreaterThanOrEqual(0);
    expect(value('signalbox_http_request_duration_seconds_count{operation="createTask",status="201"}')).toBe(
      6,
    );
    expect(value('signalbox_sse_clients')).toBe(0);
    expect(value('signalbox_log_sequence')).toBe(1);
  });
});
