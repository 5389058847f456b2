/** What a tool gets: the unchanged prompt, the environment, and calls that work. Other users do not see them. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { DriverConfigs } from '../../../src/drivers/declared/resolve-driver.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import type { PromptBuilders } from '../../../src/engine/supervisor/prompts/prompt-facts.ts';
import { startEngine } from '../../support/engine.ts';
import { startHttp, TASKS, type TestHttp } from '../../support/http/http.ts';
import { FakeTool, recorded } from '../../support/process/fake-tool.ts';
import { until } from '../../support/until.ts';

const NASTY = `it's "quoted" \`id\` $(id) \${HOME} $HOME \\ \\n %s\n\n\ttab\r\n{prompt} {{title}} é 任务 😀\n'''"""$$!\n`;
const MEGABYTE = `${NASTY}${'0123456789abcdef'.repeat(65_536)}${NASTY}`;

const echo = (tool: FakeTool): DriverConfigs => ({
  argument: {
    program: tool.program,
    args: ['--', '{prompt}'],
    prompt: 'argument',
    output: { format: 'text' },
  },
  falls_back: {
    program: tool.program,
    args: ['--', '{prompt}'],
    prompt: 'argument',
    large_prompt: { by: 'stdin', args: ['--stdin'] },
    output: { format: 'text' },
  },
});

const always = (text: string): PromptBuilders => ({ build: async () => text });

const settled = ({ state, openAttempt }: { state: string; openAttempt: number | null }): boolean =>
  ['done', 'failed'].includes(state) && openAttempt === null;

async function given(tool: FakeTool, agent: AgentDefinition, text: string) {
  await using engine = await startEngine({ agents: [agent], prompts: always(text) });
  await engine.create({ id: 't', agent: 'worker', max_attempts: 1 });
  const task = await engine.until('t', settled);
  const [attempt] = engine.app.state.projections.attempts.byTask.get('demo/t') ?? [];
  return { task, attempt, call: tool.calls > 0 ? tool.call(1) : null };
}

describe('a prompt arrives byte for byte', () => {
  it.each([
    ['of 1 MB', MEGABYTE],
    ['with all that a shell would like to understand', NASTY],
  ])('%s', async (_what, text) => {
    await using stdin = new FakeTool();
    stdin.plan({ stdout: recorded('claude', 'success.json') });
    expect((await given(stdin, stdin.agent('claude'), text)).call?.stdin === text).toBe(true);

    await using file = new FakeTool();
    file.plan({ stdout: recorded('openclaw', 'success.json') });
    const { call } = await given(file, file.agent('openclaw'), text);
    expect(call?.args[call.args.indexOf('--message-file') + 1]).toBe(call?.env.SIGNALBOX_PROMPT_FILE);
    expect(call?.stdin).toBe('');
  });

  it('in the file', async () => {
    await using tool = new FakeTool();
    tool.plan({ after: 'cp "$SIGNALBOX_PROMPT_FILE" copy', stdout: recorded('openclaw', 'success.json') });
    await given(tool, tool.agent('openclaw'), MEGABYTE);
    expect(readFileSync(join(tool.directory, 'copy'), 'utf8') === MEGABYTE).toBe(true);
  });

  it('as an argument, up to the limit of the system', async () => {
    await using tool = new FakeTool();
    tool.plan({ stdout: 'done' });
    const { call, attempt } = await given(tool, tool.agentWith(echo(tool), 'argument'), NASTY);
    expect(call?.args).toEqual(['--', NASTY]);
    expect(attempt?.outcome).toBe('completed');
  });

  it('in another way if it is too large for an argument and the driver allows it', async () => {
    await using tool = new FakeTool();
    tool.plan({ stdout: 'done' });
    const { call } = await given(tool, tool.agentWith(echo(tool), 'falls_back'), MEGABYTE);
    expect(call?.args).toEqual(['--stdin']);
    expect(call?.stdin === MEGABYTE).toBe(true);
  });

  it('or is refused with a hint', async () => {
    await using tool = new FakeTool();
    tool.plan({ stdout: 'done' });
    const { call, attempt } = await given(tool, tool.agentWith(echo(tool), 'argument'), MEGABYTE);
    expect(call).toBeNull();
    expect(attempt).toMatchObject({
      outcome: 'spawn_failed',
      error: expect.stringMatching(
        /argument 2 of .* has \d+ bytes, and the system takes at most 131071: give the prompt by file/,
      ),
    });
  });
});

/** An agent that waits for the test; and the calls of its prompt, each under its heading. */
async function waiting(
  tool: FakeTool,
  agent: AgentDefinition,
): Promise<{ http: TestHttp; prompt: string; token: string }> {
  tool.plan({ after: 'while [ ! -f go ]; do sleep 0.05; done' });
  const http = await startHttp({ agents: [agent], url: () => tool.url });
  tool.url = http.url;
  await http.post(TASKS, { id: 't', title: "it's a `task` $(id)", agent: 'worker' });
  await until(() => tool.hasPrinted(1), 'the tool runs');
  await http.test.until('t', ({ state }) => state === 'working');
  const { args, stdin, env } = tool.call(1);
  const file = readFileSync(env.SIGNALBOX_PROMPT_FILE ?? '', 'utf8');
  const prompt = args.includes('--') ? (args[args.indexOf('--') + 1] ?? '') : stdin || file;
  return { http, prompt, token: http.token('t') };
}

async function paste(script: string, env: Record<string, string>): Promise<string> {
  const path = { PATH: process.env.PATH ?? '' };
  return (await promisify(execFile)('bash', ['-eu', '-c', script], { env: { ...path, ...env } })).stdout;
}

function scriptIn(prompt: string): string {
  return /```sh\n([\s\S]*?)```/.exec(prompt)?.[1] ?? '';
}

/** Up to the call by which it says that it is finished. */
function upToReview(script: string): string {
  const calls = script.split(/(?<=\n)(?=# )/);
  const last = calls.findIndex((call) => call.includes('"status":"review"'));
  return calls.slice(0, last + 1).join('');
}

describe('the calls of a prompt, pasted into a shell', () => {
  it.each<[string, 'en' | 'zh', (tool: FakeTool) => AgentDefinition]>([
    ['on standard input', 'en', (tool) => tool.agent('claude')],
    ['on standard input, in Chinese', 'zh', (tool) => tool.agent('claude')],
    ['in a file, of a tool that passes no environment on', 'en', (tool) => tool.agent('openclaw')],
    [
      'as an argument, if the token is in the environment',
      'en',
      (tool) => tool.agentWith(echo(tool), 'argument'),
    ],
  ])('work: %s', async (_how, promptLanguage, agentOf) => {
    await using tool = new FakeTool();
    const { http, prompt, token } = await waiting(tool, { ...agentOf(tool), promptLanguage });
    await using _http = http;
    const isPublic = !prompt.includes(token);
    await paste(upToReview(scriptIn(prompt)), isPublic ? { SIGNALBOX_TOKEN: token } : {});
    expect(await http.test.until('t', ({ state }) => state === 'review')).toMatchObject({
      outputs: [{ type: 'document', title: '…', content: '…', summary: '…', attempt: 1 }],
      comments: [{ author: 'worker', body: '…' }],
      progress: '…',
    });
    await http.post(`${TASKS}/t/cancel`);
    await http.test.until('t', ({ openAttempt }) => openAttempt === null);
  });

  it('set the variables of other programs if a tool does not pass on its environment', async () => {
    await using tool = new FakeTool();
    const { http, prompt, token } = await waiting(tool, tool.agent('openclaw'));
    await using _http = http;
    const exports = scriptIn(prompt)
      .split('\n')
      .filter((line) => line.startsWith('export '))
      .join('\n');
    const own = tool.call(1).env;
    const printed = await paste(
      `${exports}\nprintf '%s\\n' "$SIGNALBOX_URL" "$SIGNALBOX_TASK_ID" "$SIGNALBOX_ATTEMPT" "$SIGNALBOX_TOKEN" "$TRACEPARENT"`,
      {},
    );
    expect(printed.split('\n')).toEqual([http.url, 't', '1', token, own.TRACEPARENT, '']);
    await http.post(`${TASKS}/t/cancel`);
    await http.test.until('t', ({ openAttempt }) => openAttempt === null);
  });
});

describe('the environment', () => {
  it('has the address, the task, the attempt, the token and the trace', async () => {
    await using tool = new FakeTool();
    const { http, token } = await waiting(
      tool,
      tool.agent('claude', {
        env: { PATH: process.env.PATH ?? '', TRACESTATE: 'of=another', BAGGAGE: 'a=b' },
      }),
    );
    await using _http = http;
    const { env } = tool.call(1);
    expect(env).toMatchObject({
      SIGNALBOX_URL: http.url,
      SIGNALBOX_PROJECT: 'demo',
      SIGNALBOX_TASK_ID: 't',
      SIGNALBOX_ATTEMPT: '1',
      SIGNALBOX_AGENT_ID: 'worker',
      SIGNALBOX_TOKEN: token,
      TRACEPARENT: expect.stringMatching(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-01$/),
    });
    expect(env).not.toHaveProperty('TRACESTATE');
    expect(env).not.toHaveProperty('BAGGAGE');
    await http.post(`${TASKS}/t/cancel`);
    await http.test.until('t', ({ openAttempt }) => openAttempt === null);
  });

  it('contains no variable that a driver hides from its tool', async () => {
    await using tool = new FakeTool();
    const env = { PATH: process.env.PATH ?? '', OPENCLAW_SHELL: 'exec' };
    tool.plan({ stdout: recorded('openclaw', 'success.json') });
    expect((await given(tool, tool.agent('openclaw', { env }), 'x')).call?.env).not.toHaveProperty(
      'OPENCLAW_SHELL',
    );
  });
});

describe('the token', () => {
  it.each<[string, (tool: FakeTool) => AgentDefinition]>([
    ['claude', (tool) => tool.agent('claude')],
    ['openclaw', (tool) => tool.agent('openclaw')],
    ['a tool that takes its prompt as an argument', (tool) => tool.agentWith(echo(tool), 'argument')],
  ])('is in no command line and in no log: %s', async (_name, agentOf) => {
    await using tool = new FakeTool();
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    tool.plan({ exitCode: 7, stderr: 'oh' });
    await using engine = await startEngine({
      agents: [agentOf(tool)],
      logger,
      url: () => 'http://127.0.0.1:9',
    });
    tool.url = 'http://127.0.0.1:9';
    await engine.create({ id: 't', agent: 'worker', max_attempts: 2 });
    await engine.until('t', settled);
    const tokens = [1, 2].map((attempt) =>
      engine.app.supervision.tokens.tokenOf({ project: 'demo', task: 't', attempt }),
    );
    expect(tool.call(1).env.SIGNALBOX_TOKEN).toBe(tokens[0]);
    const directory = join(engine.app.settings.directories.attempts, 'demo', 't', '1', 'process');
    const seen = [
      tool.call(1).commandLine,
      tool.call(2).commandLine,
      ...lines,
      readFileSync(join(directory, 'spec.json'), 'utf8'),
    ];
    expect(lines.length).toBeGreaterThan(0);
    for (const token of tokens) expect(seen.filter((text) => text.includes(token))).toEqual([]);
  });
});
