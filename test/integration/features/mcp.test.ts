/** The MCP server with the official client: both revisions of the protocol, over stdio and HTTP. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SignalboxClient } from '../../../src/client/client.ts';
import { PROMPT_TEXTS } from '../../../src/engine/supervisor/prompts/prompt-texts.ts';
import { builtCli } from '../../support/process/build.ts';
import { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';

const TOOLS = [
  ...'ask background_run budget_list check_background drain_notifications question_answer question_list schedule_create schedule_list schedule_trigger'.split(
    ' ',
  ),
  ...'claim comment create edit get list output status steer'.split(' ').map((name) => `task_${name}`),
];
/** Writes its environment to a file for the test, and continues to run. */
const WORKER =
  'printenv | grep ^SIGNALBOX_ > env-$SIGNALBOX_TASK_ID.new; mv env-$SIGNALBOX_TASK_ID.new env-$SIGNALBOX_TASK_ID; sleep 600';

type Env = Readonly<Record<string, string>>;
interface Answer {
  readonly isError: boolean;
  readonly value: Record<string, unknown>;
}

/** A session of the official client. */
class Session implements AsyncDisposable {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  static async open(transport: 'stdio' | 'http', version: string, url: string, env: Env): Promise<Session> {
    const mode = version === '2025-11-25' ? 'legacy' : { pin: version };
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(transport === 'stdio' ? await stdio(url, env) : http(url, env));
    return new Session(client);
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    const { content, structuredContent, isError } = await this.client.callTool({ name, arguments: args });
    const [first] = content;
    if (first?.type !== 'text') throw new Error(`${name} answered ${JSON.stringify(content)}`);
    const value = JSON.parse(first.text) as Record<string, unknown>;
    if (!isError) expect(structuredContent).toEqual(value);
    return { isError: isError === true, value };
  }

  async ok(name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { isError, value } = await this.call(name, args);
    expect({ name, isError, value }).toMatchObject({ isError: false });
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

async function stdio(url: string, env: Env): Promise<StdioClientTransport> {
  const { PATH = '', HOME = '' } = process.env;
  return new StdioClientTransport({
    command: process.execPath,
    args: [await builtCli(), 'mcp'],
    env: { PATH, HOME, SIGNALBOX_URL: url, ...env },
    stderr: 'ignore',
  });
}

function http(url: string, { SIGNALBOX_TOKEN: token, SIGNALBOX_PROJECT: project = 'demo' }: Env) {
  const headers: Env = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const target = new URL(`${url}/mcp?project=${project}`);
  return new StreamableHTTPClientTransport(target, { requestInit: { headers } });
}

describe.concurrent('the MCP server', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    const worker = { driver: 'command', command: ['sh', '-c', WORKER], cwd: '.', concurrency: 10 };
    sandbox = await Sandbox.create({
      config: { agents: { worker }, background: {}, defaults: { kill_grace_seconds: 0.2 } },
    });
    await sandbox.up();
  }, 60_000);
  afterAll(async () => sandbox[Symbol.asyncDispose]());

  /** The environment of the agent that works on this task. */
  async function environmentOf(id: string): Promise<Env> {
    const task = { id, title: 'a task', agent: 'worker', review: 'manual' } as const;
    await new SignalboxClient({ url: sandbox.url }).createTask({ project: 'demo', ...task });
    await until(async () => (await sandbox.lines(`env-${id}`)).length > 0, 'the agent runs');
    const lines = await sandbox.lines(`env-${id}`);
    return Object.fromEntries(
      lines.map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^[^=]*=/, '')]),
    );
  }

  for (const transport of ['stdio', 'http'] as const) {
    for (const version of ['2025-11-25', '2026-07-28']) {
      it(`lists and does everything over ${transport} in ${version}`, { timeout: 60_000 }, async () => {
        const id = `${transport}-${version}`;
        const env = await environmentOf(id);
        await using agent = await Session.open(transport, version, sandbox.url, env);
        expect(agent.client.getNegotiatedProtocolVersion()).toBe(version);
        const { tools } = await agent.client.listTools();
        expect(tools.map(({ name }) => name).sort()).toEqual(TOOLS);

        expect(await agent.ok('task_get')).toMatchObject({ id, status: 'working', outputs: [] });
        expect(await agent.ok('task_claim')).toMatchObject({ id, open_attempt: 1, claimed_by: 'worker' });
        expect(await agent.ok('task_status', { status: 'working', detail: 'half way' })).toMatchObject({
          progress: 'half way',
        });
        const early = await agent.call('task_status', { status: 'review' });
        expect(early).toMatchObject({ isError: true, value: { code: 'output_required' } });
        const output = { type: 'document', title: 'Answer', content: '42' };
        expect(await agent.ok('task_output', output)).toMatchObject({ output_count: 1 });
        expect(await agent.ok('task_comment', { body: 'look here' })).toMatchObject({ comment_count: 1 });
        const child = { title: 'another', agent: 'worker', idempotency_key: id };
        const created = await agent.ok('task_create', child);
        expect(await agent.ok('task_create', child)).toMatchObject({ id: created.id });
        const { tasks } = (await agent.ok('task_list', { agent: 'worker' })) as { tasks: { id: string }[] };
        for (const filter of [{ status: ['expired'] }, { state: ['expired'] }]) {
          expect(await agent.ok('task_list', filter)).toMatchObject({ tasks: [] });
        }
        expect(tasks.map((task) => task.id)).toEqual(expect.arrayContaining([id, created.id]));
        expect(await agent.ok('budget_list')).toEqual({ budgets: [] });
        expect(await agent.ok('task_status', { status: 'review' })).toMatchObject({ status: 'review' });
        expect(await agent.ok('task_get', { task_id: id })).toMatchObject({
          outputs: [{ title: 'Answer', agent: 'worker' }],
          comments: [{ author: 'worker', body: 'look here' }],
        });
        const missing = await agent.call('task_get', { task_id: 'none' });
        expect(missing).toMatchObject({ isError: true, value: { code: 'task_not_found' } });
        const edit = { task_id: String(created.id), title: 'changed', priority: 9 };
        expect(await agent.call('task_edit', edit)).toMatchObject({ value: { code: 'forbidden' } });
        const denied = await agent.call('background_run', { command: 'true' });
        expect(denied).toMatchObject({ isError: true, value: { code: 'forbidden' } });

        await using person = await Session.open(transport, version, sandbox.url, {});
        const started = await person.ok('background_run', { command: 'echo "from $PWD"' });
        const task_id = String(started.task_id);
        expect(started.message).toBe(`Background task ID started: ${task_id}`);
        await new SignalboxClient({ url: sandbox.url }).settledBackground(task_id);
        const checked = await person.ok('check_background', { task_id });
        expect(checked).toMatchObject({ status: 'completed', output: expect.stringMatching(/^from \//) });
        expect(await person.ok('check_background')).toMatchObject({
          tasks: expect.arrayContaining([expect.objectContaining({ task_id })]),
        });
        const drained = await person.ok('drain_notifications', { cursor: id });
        expect(drained.text).toContain(`[bg:${task_id}] completed: from /`);
        // Others run commands at the same time.
        expect((await person.ok('drain_notifications', { cursor: id })).text).not.toContain(task_id);
        const { id: held } = await person.ok('task_create', { title: 'x', type: 'nothing' });
        const edited = await person.ok('task_edit', { ...edit, task_id: String(held) });
        expect(edited).toMatchObject({ title: 'changed', priority: 9, status: 'pending' });
        const homeless = await person.call('task_claim');
        expect(homeless).toMatchObject({ isError: true, value: { code: 'invalid_request' } });
      });
    }
  }

  describe.each(['stdio', 'http'] as const)('the tool ask over %s', (transport) => {
    const QUESTION = { message: 'Go on?', options: ['yes', 'no'] };
    interface Asked {
      readonly questions: readonly { readonly id: string; readonly answer: object | null }[];
    }
    const asked = async (id: string) =>
      (await sandbox.get<Asked>(`/api/projects/demo/tasks/${id}/questions`)).questions;
    const answerNewest = async (id: string, option: string): Promise<void> => {
      const question = (await asked(id)).at(-1)?.id;
      const path = `/api/projects/demo/tasks/${id}/questions/${question}/answer`;
      expect((await sandbox.post(path, { option })).status).toBe(200);
    };

    it('waits on after the connection broke, and asks nothing twice; the same again later is a new question', {
      timeout: 90_000,
    }, async () => {
      const id = `ask-${transport}`;
      const env = await environmentOf(id);
      await using first = await Session.open(transport, '2026-07-28', sandbox.url, env);
      const broken = first.call('ask', QUESTION).catch(() => 'the connection broke');
      await until(async () => (await asked(id)).length === 1, 'it asks');
      await first.client.close();
      expect(await broken).toBe('the connection broke');

      await using second = await Session.open(transport, '2026-07-28', sandbox.url, env);
      let isWaiting = false;
      const onprogress = (): void => {
        isWaiting = true;
      };
      const waiting = second.client.callTool({ name: 'ask', arguments: QUESTION }, { onprogress });
      // A process of its own does not know of a call of another one: without an id, it has to come before the answer.
      if (transport === 'stdio') await until(() => isWaiting, 'it waits on');
      const message = { text: 'Use the new parser.' };
      expect((await sandbox.post(`/api/projects/demo/tasks/${id}/steer`, message)).status).toBe(201);
      await answerNewest(id, 'yes');
      expect((await waiting).structuredContent).toMatchObject({
        answer: { option: 'yes' },
        steering: [message],
      });
      expect(await asked(id)).toHaveLength(1);

      const again = second.ok('ask', QUESTION);
      await until(async () => (await asked(id)).length === 2, 'it asks anew');
      await answerNewest(id, 'no');
      expect(await again).toMatchObject({ answer: { option: 'no' } });
    });
  });

  it('gives the answer that came while the connection was broken', { timeout: 90_000 }, async () => {
    const env = await environmentOf('ask-late');
    const path = '/api/projects/demo/tasks/ask-late/questions';
    const ids = async () =>
      (await sandbox.get<{ questions: { id: string }[] }>(path)).questions.map(({ id }) => id);
    await using agent = await Session.open('http', '2026-07-28', sandbox.url, env);
    const call = { name: 'ask', arguments: { message: 'Which one?' } };
    const gone = new AbortController();
    const broken = agent.client.callTool(call, { signal: gone.signal }).catch(() => 'aborted');
    await until(async () => (await ids()).length === 1, 'it asks');
    gone.abort();
    expect(await broken).toBe('aborted');
    await sandbox.post(`${path}/${(await ids())[0]}/answer`, { text: 'the first' });
    // The server notices the broken connection in its own time.
    await until(async () => {
      const { answer } = await agent.ok('ask', { message: 'Which one?', id: (await ids())[0] });
      return JSON.stringify(answer).includes('the first');
    }, 'the answer arrives');
    expect(await ids()).toHaveLength(1);
  });

  it('tells an agent to stop if its attempt is over, with the status of the task', {
    timeout: 60_000,
  }, async () => {
    const env = await environmentOf('late');
    await using agent = await Session.open('stdio', '2026-07-28', sandbox.url, env);
    await new SignalboxClient({ url: sandbox.url }).cancelTask({ project: 'demo', task: 'late' });
    const answer = await agent.call('task_status', { status: 'working' });
    expect(answer).toMatchObject({ isError: true, value: { code: 'stale_attempt', status: 'cancelled' } });
  });

  it('writes nothing but MCP to standard output, and ends with standard input', async () => {
    const child = spawn(process.execPath, [await builtCli(), 'mcp'], {
      env: { PATH: process.env.PATH, SIGNALBOX_URL: 'http://127.0.0.1:9' },
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: 'test', version: '1' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    say({ id: 1, method: 'initialize', params });
    say({ method: 'notifications/initialized' });
    say({ id: 2, method: 'tools/list' });
    child.stdin.write('this is no MCP\n{"jsonrpc":"2.0","id":3,"method":"tools/list","id":3}\n');
    await until(() => /"id":2/.test(out) && /"id":3.*there twice/.test(out), 'all are answered');
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string });
    expect(lines.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
  });

  it.each(Object.entries(PROMPT_TEXTS))('has the tools that a prompt names (%s)', (_language, { tools }) => {
    const named = tools.match(/\btask_\w+/g) ?? [];
    expect(named).toHaveLength(4);
    expect(TOOLS).toEqual(expect.arrayContaining(named));
  });

  it('requires tokens, and refuses pages of other origins', async () => {
    const ask = (headers: Env) =>
      fetch(`${sandbox.url}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    expect((await ask({ origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask({ authorization: 'Basic x' })).status).toBe(401);
    expect((await ask({})).status).toBe(200);
    expect((await fetch(`${sandbox.url}/mcp`)).status).toBe(405);
  });
});
