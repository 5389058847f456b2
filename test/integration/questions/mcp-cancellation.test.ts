/** The tool `ask` of MCP, with the official client: a call that is cancelled, or given up, while its question is open. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QuestionJson } from '../../../src/contracts/api/questions.ts';
import { builtCli } from '../../support/process/build.ts';
import type { Sandbox } from '../../support/process/signalbox-process.ts';
import { until } from '../../support/until.ts';
import { agent, answer, create, givenSignalbox, TASKS } from './questions-lab.ts';

/** Leaves its token in a file of its task, and works on. */
const WORKS =
  'printenv SIGNALBOX_TOKEN > new-$SIGNALBOX_TASK_ID; mv new-$SIGNALBOX_TASK_ID token-$SIGNALBOX_TASK_ID; exec sleep 600';
const ASK = { name: 'ask', arguments: { message: 'Go on?', options: ['yes', 'no'] } };

const WAYS = [
  ['stdio', '2025-11-25'],
  ['stdio', '2026-07-28'],
  ['http', '2025-11-25'],
] as const;

describe.concurrent('a call of "ask"', { timeout: 120_000 }, () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await givenSignalbox({ worker: agent(WORKS, { concurrency: 20 }) });
  }, 60_000);
  afterAll(async () => sandbox[Symbol.asyncDispose]());

  const asked = async (id: string): Promise<readonly QuestionJson[]> =>
    (await sandbox.get<{ questions: QuestionJson[] }>(`${TASKS}/${id}/questions`)).questions;

  /** The client of an attempt. */
  async function clientOf(id: string, transport: 'stdio' | 'http', version: string): Promise<Client> {
    await create(sandbox, id, 'worker');
    await until(async () => (await sandbox.lines(`token-${id}`)).length > 0, 'it works', 60_000);
    const [token = ''] = await sandbox.lines(`token-${id}`);
    const mode = version === '2025-11-25' ? 'legacy' : { pin: version };
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    const { PATH = '', HOME = '' } = process.env;
    const identity = { SIGNALBOX_TOKEN: token, SIGNALBOX_PROJECT: 'demo', SIGNALBOX_TASK_ID: id };
    const env = { PATH, HOME, SIGNALBOX_URL: sandbox.url, ...identity };
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(
      transport === 'stdio'
        ? new StdioClientTransport({
            command: process.execPath,
            args: [await builtCli(), 'mcp'],
            env,
            stderr: 'ignore',
          })
        : new StreamableHTTPClientTransport(new URL(`${sandbox.url}/mcp`), { requestInit: { headers } }),
    );
    return client;
  }

  /** Calls the tool until the signal or the time limit ends the call. */
  async function askInVain(client: Client, id: string, options: object, args = ASK.arguments): Promise<void> {
    const call = client.callTool({ ...ASK, arguments: args }, options).then(
      () => 'answered',
      () => 'ended',
    );
    await until(async () => (await asked(id)).length > 0, 'it asks');
    expect(await call).toBe('ended');
  }

  it.each(WAYS)(
    'over %s in %s that its client cancels withdraws the question',
    async (transport, version) => {
      const id = `cancelled-${transport}-${version}`;
      const client = await clientOf(id, transport, version);
      const ending = new AbortController();
      const ended = askInVain(client, id, { signal: ending.signal });
      await until(async () => (await asked(id)).length > 0, 'it asks');
      ending.abort();
      await ended;
      await until(async () => (await asked(id))[0]?.answer !== null, 'it is withdrawn');
      expect(await asked(id)).toMatchObject([{ answer: { action: 'cancelled', by: 'agent:worker' } }]);
      // Asked again, it is a new question.
      const again = client.callTool(ASK);
      await until(async () => (await asked(id)).length === 2, 'it asks anew');
      const [, question] = await asked(id);
      if (question) await answer(sandbox, question, { option: 'no' });
      expect((await again).structuredContent).toMatchObject({ answer: { option: 'no' } });
      await client.close();
    },
  );

  it.each(WAYS)(
    'over %s in %s that took its client too long does not: the next one waits on',
    async (...way) => {
      const id = `late-${way.join('-')}`;
      const client = await clientOf(id, ...way);
      await askInVain(client, id, { timeout: 1_500 });
      const again = client.callTool(ASK, { timeout: 60_000 });
      const [question] = await asked(id);
      expect(question?.answer).toBeNull();
      if (question) await answer(sandbox, question, { option: 'yes' });
      expect((await again).structuredContent).toMatchObject({ id: question?.id, answer: { option: 'yes' } });
      expect(await asked(id)).toHaveLength(1);
      await client.close();
    },
  );

  it('with an id that its client cancels does not: the question may be asked for again', async () => {
    const client = await clientOf('named', 'stdio', '2026-07-28');
    const args = { ...ASK.arguments, id: 'q' };
    const ending = new AbortController();
    const ended = askInVain(client, 'named', { signal: ending.signal }, args);
    await until(async () => (await asked('named')).length > 0, 'it asks');
    ending.abort();
    await ended;
    const again = client.callTool({ ...ASK, arguments: args });
    const [question] = await asked('named');
    if (question) await answer(sandbox, question, { option: 'yes' });
    expect((await again).structuredContent).toMatchObject({ id: 'q', answer: { option: 'yes' } });
    await client.close();
  });
});
