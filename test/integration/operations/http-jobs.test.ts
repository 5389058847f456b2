/** The plain job API, as its clients use it: with curl. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type JobAnswer, jobAnswerSchema } from '../../../src/contracts/api/jobs.ts';
import type { Problem } from '../../../src/contracts/api/system-answers.ts';
import { functionAgent } from '../../support/engine.ts';
import { Gate, startHttp, type TestHttp } from '../../support/http/http.ts';

const run = promisify(execFile);

interface Curled {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

async function curl(url: string, ...args: readonly string[]): Promise<Curled> {
  const { stdout } = await run('curl', ['-sS', '-i', ...args, url]);
  const [head = '', ...rest] = stdout.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field): [string, string] => {
    const [name = '', ...value] = field.split(': ');
    return [name.toLowerCase(), value.join(': ')];
  });
  return { status: Number(line.split(' ')[1]), headers: new Map(headers), text: rest.join('\r\n\r\n') };
}

const job = (curled: Curled): JobAnswer => jobAnswerSchema.parse(JSON.parse(curled.text));
const problem = ({ text }: Curled): Problem => JSON.parse(text) as Problem;

function send(http: TestHttp, body: object, ...args: readonly string[]): Promise<Curled> {
  const json = ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
  return curl(`${http.url}/tasks`, '-X', 'POST', ...json, ...args);
}

const REVIEW = {
  task_type: 'code_review',
  description: 'Review src/parser.ts\nwith care',
  parameters: { depth: 2 },
  priority: 'high',
  timeout_seconds: 30,
};

async function start(gate = new Gate(), limits = {}) {
  const slow = functionAgent('slow', async (context) => {
    await gate.handler(context);
    return `done: ${JSON.stringify(context.spec.params)}`;
  });
  const failing = functionAgent('failing', () => Promise.reject(new Error('no such file')));
  return startHttp({
    agents: [
      { ...slow, capabilities: ['code_review'] },
      { ...failing, capabilities: ['doomed'] },
    ],
    defaults: {
      priority: 5,
      max_attempts: 2,
      // A job is not reviewed, even so.
      review: 'manual',
      backoff: { initial_seconds: 0.01, factor: 1, max_seconds: 0.01, jitter: 0 },
    },
    ...limits,
  });
}

describe('the plain job API with curl', () => {
  it('creates a job, shows it running, and its result when it is completed', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    const created = await send(http, REVIEW);
    expect(created.status).toBe(201);
    const { task_id, priority, parameters } = job(created);
    expect({ priority, parameters }).toEqual({ priority: 10, parameters: { depth: 2 } });
    const url = `${http.url}${created.headers.get('location')}`;
    expect(url).toBe(`${http.url}/tasks/${task_id}`);
    await http.test.when(() => (stateOf(http, task_id) === 'working' ? true : undefined));
    expect(job(await curl(url))).toMatchObject({ status: 'running', result: null, error: null, attempts: 1 });

    const waiting = curl(`${url}?wait=20`);
    gate.open();
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(job(answer)).toMatchObject({
      status: 'completed',
      result: { text: 'done: {"depth":2}', outputs: [{ attempt: 1, agent: 'slow' }] },
      error: null,
    });
  });

  it('answers 304 to a client that has it already; with a wait, as soon as it changes', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    const { task_id } = job(await send(http, REVIEW));
    await http.test.when(() => (stateOf(http, task_id) === 'working' ? true : undefined));
    const url = `${http.url}/tasks/${task_id}`;
    const etag = (await curl(url)).headers.get('etag') ?? '';
    const known = ['-H', `If-None-Match: ${etag}`];
    expect(await curl(url, ...known)).toMatchObject({ status: 304, text: '' });
    const begun = performance.now();
    expect(await curl(`${url}?wait=1`, ...known)).toMatchObject({ status: 304 });
    expect(performance.now() - begun).toBeGreaterThan(990);
    const waiting = curl(`${url}?wait=20`, ...known);
    gate.open();
    const news = await waiting;
    expect(news.status).toBe(200);
    expect(news.headers.get('etag')).not.toBe(etag);
  });

  it('says why a job failed', async () => {
    await using http = await start();
    const { task_id } = job(await send(http, { task_type: 'doomed', description: 'x' }));
    const failed = job(await curl(`${http.url}/tasks/${task_id}?wait=20`));
    expect(failed).toMatchObject({
      status: 'failed',
      attempts: 2,
      result: null,
      error: { code: 'failed', message: expect.stringContaining('no such file') },
    });
  });

  it('cancels a job, also twice; answers 409 for a finished one', async () => {
    const gate = new Gate();
    await using http = await start(gate);
    const { task_id } = job(await send(http, REVIEW));
    const url = `${http.url}/tasks/${task_id}`;
    for (const _again of [1, 2]) {
      const cancelled = await curl(url, '-X', 'DELETE');
      expect(cancelled.status).toBe(200);
      expect(job(cancelled)).toMatchObject({ status: 'cancelled', error: { code: 'cancelled' } });
    }
    const other = job(await send(http, REVIEW));
    gate.open();
    const done = `${http.url}/tasks/${other.task_id}`;
    await curl(`${done}?wait=20`);
    const late = await curl(done, '-X', 'DELETE');
    expect([late.status, problem(late).code]).toEqual([409, 'illegal_transition']);
  });

  it('refuses with the statuses that such a client expects: 400, 404, 409, 415, 422', async () => {
    await using http = await start();
    const missing = await curl(`${http.url}/tasks/none`);
    expect([missing.status, problem(missing).code]).toEqual([404, 'task_not_found']);
    const gone = await curl(`${http.url}/tasks/none`, '-X', 'DELETE');
    expect(gone.status).toBe(404);

    const broken = await curl(`${http.url}/tasks`, '-H', 'Content-Type: application/json', '-d', '{"a"');
    expect([broken.status, problem(broken).code]).toEqual([400, 'invalid_request']);
    const form = await curl(`${http.url}/tasks`, '-d', 'task_type=x');
    expect(form.status).toBe(415);

    const nameless = await send(http, { description: 'x', priority: 11 });
    expect(nameless.status).toBe(422);
    expect(problem(nameless).errors?.map(({ path }) => path)).toEqual(['task_type', 'priority']);
    const unknown = await send(http, { ...REVIEW, task_type: 'cooking' });
    expect(unknown.status).toBe(422);
    expect(problem(unknown).detail).toContain('code_review, doomed');

    const key = ['-H', 'Idempotency-Key: k1'];
    const first = job(await send(http, REVIEW, ...key));
    const again = await send(http, REVIEW, ...key);
    expect([again.status, job(again).task_id]).toEqual([200, first.task_id]);
    const other = await send(http, { ...REVIEW, description: 'other' }, ...key);
    expect([other.status, problem(other).code]).toEqual([409, 'idempotency_conflict']);
  });

  it('answers 503 with Retry-After when the queue is full, and still shows the other jobs', async () => {
    const limits = {
      concurrency: 1,
      projectConcurrency: 1,
      queueDepth: 2,
      backlog: 100,
      maxEventBytes: 900_000,
    };
    await using http = await start(new Gate(), { limits });
    const running = job(await send(http, REVIEW));
    await http.test.when(() => (stateOf(http, running.task_id) === 'working' ? true : undefined));
    for (let waiting = 0; waiting < 2; waiting++) expect((await send(http, REVIEW)).status).toBe(201);
    const refused = await send(http, REVIEW);
    expect([refused.status, problem(refused).code]).toEqual([503, 'overloaded']);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
    expect(job(await curl(`${http.url}/tasks/${running.task_id}`)).status).toBe('running');
  });

  it('ends pending requests at once when it stops', async () => {
    await using http = await start();
    const { task_id } = job(await send(http, REVIEW));
    const waiting = fetch(`${http.url}/tasks/${task_id}?wait=60`);
    await http.get('/health');
    const begun = performance.now();
    await http.server.close();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect((await waiting).status).toBe(200);
  });
});

function stateOf(http: TestHttp, id: string): string | undefined {
  return http.test.engine.projections.blackboard.tasks.get(`default/${id}`)?.state;
}
