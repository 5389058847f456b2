/** Each tool: how it is started and its output read, with processes that print recorded output of the real tools. */

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AttemptView } from '../../../projections/index.ts';
import type { CreateTask } from '../../../src/contracts/api/requests.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { type Behaviour, FakeTool, recorded } from '../../support/process/fake-tool.ts';

const ANSWER = 'The parser accepts an empty list; see parse.ts:41.';

const settled = ({ state, openAttempt }: { state: string; openAttempt: number | null }): boolean =>
  ['done', 'failed', 'blocked'].includes(state) && openAttempt === null;

function attemptsOf({ app }: TestEngine): readonly AttemptView[] {
  return app.state.projections.attempts.byTask.get('demo/t') ?? [];
}

async function run(
  tool: FakeTool,
  name: string,
  behaviours: readonly Behaviour[],
  task: Partial<CreateTask> = {},
): Promise<{ state: string; attempts: readonly AttemptView[]; outputs: readonly (string | undefined)[] }> {
  tool.plan(...behaviours);
  await using engine = await startEngine({ agents: [tool.agent(name)] });
  await engine.create({ id: 't', agent: 'worker', max_attempts: behaviours.length, ...task });
  const { state, outputs } = await engine.until('t', settled);
  return { state, attempts: attemptsOf(engine), outputs: outputs.map(({ content }) => content) };
}

describe.concurrent('success needs the exit code and the result', () => {
  it.each([
    ['claude', 'success.json'],
    ['codex', 'success.jsonl'],
    ['gemini', 'success.jsonl'],
    ['opencode', 'success.jsonl'],
    ['openclaw', 'success.json'],
  ])('%s: both are present', async (name, file) => {
    await using tool = new FakeTool();
    const { state, attempts, outputs } = await run(tool, name, [{ stdout: recorded(name, file) }]);
    expect({ state, outputs }).toEqual({ state: 'done', outputs: [expect.stringContaining(ANSWER)] });
    expect(attempts).toMatchObject([{ outcome: 'completed', driver: name, exitCode: 0 }]);
    expect(attempts[0]?.usage?.input_tokens).toBeGreaterThan(0);
    expect(attempts[0]?.session).toMatch(/^[\w-]{20,}$/);
  });

  it.each<[string, string, Behaviour, RegExp]>([
    [
      'claude',
      'is_error with subtype success',
      { stdout: recorded('claude', 'error.json'), exitCode: 1 },
      /^exited with code 1: API Error: 400/,
    ],
    ['claude', 'is_error and exit code 0', { stdout: recorded('claude', 'error.json') }, /^API Error: 400/],
    [
      'claude',
      'a success that exits with 1',
      { stdout: recorded('claude', 'success.json'), exitCode: 1 },
      /^exited with code 1/,
    ],
    ['claude', 'an empty output', {}, /^the output of .* has no readable result/],
    [
      'claude',
      'a document that breaks off',
      { stdout: recorded('claude', 'truncated.json') },
      /has no readable result/,
    ],
    [
      'codex',
      'turn.failed',
      { stdout: recorded('codex', 'error.jsonl'), exitCode: 1 },
      /^exited with code 1: unexpected status 400 Bad Request: the request/,
    ],
    [
      'codex',
      'a turn that never completes',
      { stdout: recorded('codex', 'timeout.jsonl') },
      /has no readable result .*2 events/,
    ],
    [
      'gemini',
      'exit code 144',
      { stdout: recorded('gemini', 'error.jsonl'), exitCode: 144 },
      /^exited with code 144: \[API Error/,
    ],
    [
      'gemini',
      'exit code 42',
      { stderr: 'No input', exitCode: 42 },
      /^exited with code 42: it got no prompt/,
    ],
    ['gemini', 'exit code 53', { exitCode: 53 }, /^exited with code 53: its limit of turns is reached/],
    [
      'gemini',
      'garbage',
      { stdout: recorded('gemini', 'garbage.jsonl') },
      /has no readable result .*0 events, 9 other lines/,
    ],
    [
      'opencode',
      'an error event',
      { stdout: recorded('opencode', 'error.jsonl'), exitCode: 1 },
      /code 1: Bad Request/,
    ],
    [
      'openclaw',
      'a run that timed out',
      { stdout: recorded('openclaw', 'timeout.json'), exitCode: 1 },
      /code 1: the run timed out/,
    ],
    [
      'openclaw',
      'a Gateway that is not there',
      { stdout: recorded('openclaw', 'error.json'), exitCode: 1 },
      /Unknown agent id/,
    ],
  ])('%s: %s is a failure', async (name, _what, behaviour, error) => {
    await using tool = new FakeTool();
    const { state, attempts, outputs } = await run(tool, name, [behaviour]);
    expect({ state, outputs }).toEqual({ state: 'failed', outputs: [] });
    expect(attempts).toMatchObject([{ outcome: 'failed', error: expect.stringMatching(error) }]);
  });
});

describe.concurrent('a retry', () => {
  it.each([
    ['claude', 'error.json', 'resumed.json', '--resume'],
    ['codex', 'error.jsonl', 'resumed.jsonl', 'resume'],
    ['gemini', 'error.jsonl', 'success.jsonl', '--resume'],
    ['opencode', 'error.jsonl', 'success.jsonl', '--session'],
  ])('of %s continues its session in the same directory', async (name, failure, success, word) => {
    await using tool = new FakeTool();
    const { state, attempts } = await run(tool, name, [
      { stdout: recorded(name, failure), exitCode: 1 },
      { stdout: recorded(name, success) },
    ]);
    expect(state).toBe('done');
    const [first, second] = [tool.call(1), tool.call(2)];
    const session = attempts[0]?.session ?? '';
    expect(first.args).not.toContain(word);
    expect(second.args[second.args.indexOf(word) + 1]).toBe(session);
    expect(second.env.PWD ?? '').toBe(first.env.PWD ?? '');
    expect(attempts[1]?.session).toBe(session);
  });

  it('of openclaw names the same session again', async () => {
    await using tool = new FakeTool();
    await run(tool, 'openclaw', [
      { stdout: recorded('openclaw', 'timeout.json'), exitCode: 1 },
      { stdout: recorded('openclaw', 'success.json') },
    ]);
    const sessionIn = (number: number) => {
      const { args } = tool.call(number);
      return args[args.indexOf('--session-id') + 1];
    };
    expect(sessionIn(1)).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(sessionIn(2)).toBe(sessionIn(1));
  });

  it('counts only its own usage, even if the tool counts the whole session', async () => {
    await using tool = new FakeTool();
    const first = {
      type: 'result',
      is_error: true,
      result: 'no',
      session_id: 'x',
      total_cost_usd: 0.0123,
      usage: {},
    };
    const { attempts } = await run(tool, 'claude', [
      { stdout: JSON.stringify(first), exitCode: 1 },
      { stdout: recorded('claude', 'resumed.json') },
    ]);
    expect(attempts[0]?.usage?.cost_usd).toBeCloseTo(0.0123, 10);
    expect(attempts[1]?.usage).toEqual({
      input_tokens: 300,
      output_tokens: 20,
      cost_usd: expect.closeTo(0.008, 10),
      cost_source: 'reported',
    });
  });

  it('starts a new session if the old one is gone', async () => {
    await using tool = new FakeTool();
    const { state } = await run(tool, 'claude', [
      { stdout: recorded('claude', 'error.json'), exitCode: 1 },
      { stderr: recorded('claude', 'unknown-session.stderr').toString(), exitCode: 1 },
      { stdout: recorded('claude', 'success.json') },
    ]);
    expect(state).toBe('done');
    expect(tool.call(2).args).toContain('--resume');
    expect(tool.call(3).args).toContain('--session-id');
    const named = (number: number, word: string) =>
      tool.call(number).args[tool.call(number).args.indexOf(word) + 1];
    expect(named(3, '--session-id')).not.toBe(named(1, '--session-id'));
  });
});

describe.concurrent('an unusual process', () => {
  it('that stays after its result is ended, and its result counts', async () => {
    await using tool = new FakeTool();
    const stdout = recorded('codex', 'success.jsonl');
    const { state, attempts, outputs } = await run(tool, 'codex', [{ stdout, after: 'sleep 600' }]);
    expect({ state, outputs }).toEqual({ state: 'done', outputs: [ANSWER] });
    expect(attempts).toMatchObject([
      { outcome: 'completed', stopReason: 'lingering', evidence: { survivors: 0 } },
    ]);
  });

  it('gets an empty standard input: Codex would wait for ever for an open one', async () => {
    await using tool = new FakeTool();
    const driver = {
      mine: {
        program: tool.program,
        output: { format: 'text' as const },
        args: ['{prompt}'],
        prompt: 'argument' as const,
      },
    };
    tool.plan({ stdout: 'done' });
    await using engine = await startEngine({ agents: [tool.agentWith(driver, 'mine')] });
    await engine.create({ id: 't', agent: 'worker', max_attempts: 1 });
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done' });
    expect(tool.call(1).stdin).toBe('');
  });

  it('that prints far more than is kept is understood by its beginning and end', async () => {
    await using tool = new FakeTool();
    const [first, ...rest] = recorded('codex', 'success.jsonl').toString().split('\n');
    tool.plan({
      stdout: `${first}\n`,
      after: `head -c 3000000 /dev/zero | tr '\\0' x; echo; sleep 0.3; cat rest`,
    });
    writeFileSync(`${tool.directory}/rest`, rest.join('\n'));
    await using engine = await startEngine({ agents: [tool.agent('codex', { maxOutputBytes: 100_000 })] });
    await engine.create({ id: 't', agent: 'worker', max_attempts: 1 });
    expect(await engine.until('t', settled)).toMatchObject({ state: 'done', outputs: [{ content: ANSWER }] });
    expect(attemptsOf(engine)).toMatchObject([{ session: '0199a213-81c0-7800-8aa1-bbab2a035a53' }]);
  });
});

describe.concurrent('an openclaw run whose command lost its Gateway', () => {
  const lost: Behaviour = { stdout: recorded('openclaw', 'accepted-error.json'), exitCode: 1 };

  it('is polled until it has ended, and is not started again', async () => {
    await using tool = new FakeTool();
    tool.plan(
      lost,
      { stdout: recorded('openclaw', 'wait-running.json') },
      { exitCode: 1 },
      { stdout: recorded('openclaw', 'wait-ok.json') },
    );
    await using engine = await startEngine({ agents: [tool.agent('openclaw')] });
    await engine.create({ id: 't', agent: 'worker' });
    expect(await engine.until('t', settled)).toMatchObject({
      state: 'done',
      attempts: 1,
      outputs: [{ content: ANSWER }],
    });
    expect(tool.call(2).args).toEqual([
      'gateway',
      'call',
      'agent.wait',
      '--params',
      '{"runId":"5f2b1c3e-0d6a-4f7e-9a41-3c2b1a0f9e8d","timeoutMs":20000}',
      '--json',
    ]);
  });

  it('that fails there fails the attempt', async () => {
    await using tool = new FakeTool();
    tool.plan(lost, { stdout: recorded('openclaw', 'wait-aborted.json') });
    await using engine = await startEngine({ agents: [tool.agent('openclaw')] });
    await engine.create({ id: 't', agent: 'worker', max_attempts: 1 });
    expect(await engine.until('t', settled)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('rpc'),
    });
  });

  it('is aborted when its time limit is reached', async () => {
    await using tool = new FakeTool();
    tool.plan(lost, { stdout: recorded('openclaw', 'wait-running.json') });
    await using engine = await startEngine({ agents: [tool.agent('openclaw')] });
    await engine.create({ id: 't', agent: 'worker', max_attempts: 1, timeout_seconds: 1.5 });
    await engine.until('t', settled);
    expect(attemptsOf(engine)).toMatchObject([{ outcome: 'timed_out' }]);
    const calls = Array.from({ length: tool.calls }, (_, index) => tool.call(index + 1).args);
    const session = calls[0]?.[calls[0].indexOf('--session-id') + 1];
    expect(calls).toContainEqual(
      expect.arrayContaining(['chat.abort', expect.stringContaining(`agent:main:explicit:${session}`)]),
    );
  });
});
