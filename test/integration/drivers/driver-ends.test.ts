/** How attempts of declared drivers end: large results, sessions, quotas, and the tool's own words. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { AttemptView, TaskView } from '../../../projections/index.ts';
import type { DeclaredSettings } from '../../../src/drivers/declared/declared-program.ts';
import { functionAgent, startEngine, type TestEngine } from '../../support/engine.ts';
import { type Behaviour, FakeTool, recorded } from '../../support/process/fake-tool.ts';

const QUOTA = { pattern: null, parkMs: 3_600_000, zone: 'UTC' };

const settled = ({ state, openAttempt }: { state: string; openAttempt: number | null }): boolean =>
  ['done', 'failed', 'blocked'].includes(state) && openAttempt === null;

function attemptsOf({ app }: TestEngine): readonly AttemptView[] {
  return app.state.projections.attempts.byTask.get('demo/t') ?? [];
}

interface Ended {
  readonly task: TaskView;
  readonly attempts: readonly AttemptView[];
  /** The whole content of its first output. */
  readonly text: string | undefined;
}

async function ended(engine: TestEngine): Promise<Ended> {
  const task = await engine.until('t', settled);
  const [output] = task.outputs;
  const file = output?.content_file?.path;
  const text = file === undefined ? output?.content : await readFile(file, 'utf8');
  return { task, attempts: attemptsOf(engine), text };
}

async function run(
  name: string,
  behaviours: readonly Behaviour[],
  settings: Partial<DeclaredSettings> = {},
): Promise<Ended & { readonly calls: readonly (readonly string[])[] }> {
  await using tool = new FakeTool();
  tool.plan(...behaviours);
  await using engine = await startEngine({ agents: [tool.agent(name, settings)] });
  await engine.create({
    id: 't',
    agent: 'worker',
    review: 'auto',
    max_attempts: behaviours.length,
    backoff: { initial_seconds: 0.01, factor: 1, max_seconds: 1, jitter: 0 },
  });
  const end = await ended(engine);
  return { ...end, calls: Array.from({ length: tool.calls }, (_, index) => tool.call(index + 1).args) };
}

const claudeResult = (result: string): string =>
  JSON.stringify({ type: 'result', subtype: 'success', is_error: false, result, session_id: 's' });
const codexResult = (text: string): string =>
  [
    '{"type":"thread.started","thread_id":"th"}',
    JSON.stringify({ type: 'item.completed', item: { type: 'agent_message', text } }),
    '{"type":"turn.completed","usage":{}}',
  ].join('\n');

describe('a large result', () => {
  it.each([
    ['claude', 300_000, 'x', claudeResult],
    ['claude', 400_000, '猫', claudeResult],
    ['codex', 3_000_000, 'x', codexResult],
  ] as const)('of %s, %i characters, is whole in the task', async (name, count, character, print) => {
    const whole = `first ${character.repeat(count)} last`;
    const { task, text } = await run(name, [{ stdout: print(whole) }]);
    expect(task.state).toBe('done');
    expect(text === whole).toBe(true);
    expect(task.outputs[0]).toMatchObject({ summary: expect.stringMatching(/^first .*…$/) });
  });

  it('of a function agent is whole, too', async () => {
    const whole = '猫'.repeat(1_000_000);
    await using engine = await startEngine({ agents: [functionAgent('worker', () => whole)] });
    await engine.create({ id: 't', agent: 'worker', review: 'auto' });
    expect((await ended(engine)).text === whole).toBe(true);
  });

  it.each([
    ['claude', claudeResult],
    ['codex', codexResult],
  ] as const)(
    'of %s above max_output_bytes is a failure that names limit and setting',
    async (name, print) => {
      const { task } = await run(name, [{ stdout: print('x'.repeat(20_000_000)), after: 'sleep 0.5' }]);
      expect(task.state).toBe('failed');
      expect(task.reason).toMatch(
        /it printed 20\d{6} bytes, and max_output_bytes of its agent keeps 10000000: raise/,
      );
    },
  );
});

describe('the session of claude', () => {
  const GONE = {
    type: 'result',
    subtype: 'error_during_execution',
    is_error: true,
    num_turns: 0,
    session_id: 'other',
  };

  it('that is gone is not resumed again: the next attempt starts a new one, and says why', async () => {
    const { task, attempts, calls } = await run('claude', [
      { stdout: recorded('claude', 'error.json'), exitCode: 1 },
      {
        stdout: JSON.stringify({ ...GONE, errors: ['No conversation found with session ID: x'] }),
        exitCode: 1,
      },
      { stdout: recorded('claude', 'success.json') },
    ]);
    expect(task.state).toBe('done');
    expect(attempts[1]).toMatchObject({
      session: null,
      error: expect.stringMatching(
        /No conversation found with session ID: x .*the next attempt starts a new one/,
      ),
    });
    expect(calls.map((args) => args.includes('--resume'))).toEqual([false, true, false]);
    expect(calls[2]?.[calls[2].indexOf('--session-id') + 1]).not.toBe(
      calls[0]?.[calls[0].indexOf('--session-id') + 1],
    );
  });

  it('is kept after it was stopped by SIGTERM', async () => {
    const { task, calls } = await run('claude', [
      { exitCode: 143 },
      { stdout: recorded('claude', 'success.json') },
    ]);
    expect(task.state).toBe('done');
    expect(calls[1]?.[calls[1].indexOf('--resume') + 1]).toBe(
      calls[0]?.[calls[0].indexOf('--session-id') + 1],
    );
  });
});

describe("the tool's own words", () => {
  it.each<[string, string, Behaviour, RegExp]>([
    [
      'claude',
      'plain text on standard output, exit 0',
      { stdout: 'Invalid API key · Please run /login\n' },
      /no readable result.*: it printed "Invalid API key · Please run \/login"/,
    ],
    [
      'codex',
      'an error on standard error, exit 0',
      { stderr: 'Error: no such model\nbye\n' },
      /no readable result .*: it printed "Error: no such model"/,
    ],
    [
      'gemini',
      'an error event without a result',
      { stdout: '{"type":"error","severity":"error","message":"boom"}' },
      /^boom$/,
    ],
  ])('of %s are the reason: %s', async (name, _what, behaviour, reason) => {
    expect((await run(name, [behaviour])).task.reason).toMatch(reason);
  });

  it('of a warning before a success are shown with the output', async () => {
    const stdout = [
      '{"type":"init","session_id":"s"}',
      '{"type":"message","role":"assistant","content":"half an answer"}',
      '{"type":"error","severity":"warning","message":"Loop detected, stopping execution"}',
      '{"type":"result","status":"success"}',
    ].join('\n');
    const { task } = await run('gemini', [{ stdout }]);
    expect(task).toMatchObject({
      state: 'done',
      outputs: [{ content: 'half an answer', summary: 'It warned: Loop detected, stopping execution' }],
    });
  });
});

describe('a used-up quota', () => {
  it('parks until the time that the tool named; the attempt does not count, and its session is kept', async () => {
    await using tool = new FakeTool();
    const at = new Date(Date.now() + 3_000).toISOString();
    const result = JSON.stringify({
      type: 'result',
      is_error: true,
      result: `Usage limit reached, resets at ${at}`,
      session_id: 's',
    });
    tool.plan({ stdout: result, exitCode: 1 }, { stdout: recorded('claude', 'success.json') });
    await using engine = await startEngine({ agents: [tool.agent('claude', { quota: QUOTA })] });
    await engine.create({ id: 't', agent: 'worker', review: 'auto', max_attempts: 1 });
    const { task, attempts } = await ended(engine);
    expect(task).toMatchObject({ state: 'done', attempts: 2, attemptsUsed: 1 });
    expect(attempts[0]).toMatchObject({
      outcome: 'quota',
      error: `quota: Usage limit reached, resets at ${at}`,
    });
    expect(attempts[1]?.claimedAt).toBeGreaterThanOrEqual(Date.parse(at));
    expect(tool.call(2).args).toContain('--resume');
  });

  it('is not what an exit code 2 with the words "rate limit" means', async () => {
    const { attempts } = await run(
      'claude',
      [{ stderr: "error: unknown option '--rate-limit'\n", exitCode: 2 }],
      { quota: QUOTA },
    );
    expect(attempts).toMatchObject([{ outcome: 'failed' }]);
  });
});
