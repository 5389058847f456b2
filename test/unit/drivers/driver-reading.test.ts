import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { usageOf } from '../../../src/drivers/declared/finders.ts';
import { type OutputReading, readOutput } from '../../../src/drivers/declared/reading.ts';
import { resolveDriver } from '../../../src/drivers/declared/resolve-driver.ts';

const ANSWER = 'The parser accepts an empty list; see parse.ts:41.';
const STREAM = '0b9f3c1e-5a7d-4e2f-8c6b-1d2e3f4a5b6c';
const SESSION = '3f0c9a52-7f1e-8c4d-9b1a-2d5e6f708192';
const THREAD = '0199a213-81c0-7800-8aa1-bbab2a035a53';
const OPENCODE = 'ses_63f1c0a4effe1Xy2Zw3Vu4Ts5';
const RUN = '5f2b1c3e-0d6a-4f7e-9a41-3c2b1a0f9e8d';

function fixture(tool: string, file: string): Buffer {
  return readFileSync(new URL(`../../fixtures/drivers/${tool}/${file}`, import.meta.url));
}

/** @param size bytes of a piece: the result must not depend on it */
async function* inPieces(bytes: Buffer, size = 7): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function read(tool: string, bytes: Buffer, size?: number): Promise<OutputReading> {
  const { output, settle } = resolveDriver({}, tool);
  return readOutput(inPieces(bytes, size), { output, settle });
}

const tokens = (input: number, output: number, read: number, written: number) => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_tokens: read,
  cache_write_tokens: written,
});

describe('recorded output of each tool', () => {
  it.each<[string, string, Partial<OutputReading>]>([
    ['claude', 'success.json', { status: 'ok', text: ANSWER, session: SESSION }],
    ['claude', 'stream.jsonl', { status: 'ok', text: 'The result was: Keep it.', session: STREAM }],
    ['claude', 'error.json', { status: 'failed', error: 'API Error: 400 the request is not valid' }],
    ['claude', 'timeout.json', { status: 'nothing', text: undefined, session: undefined }],
    ['claude', 'truncated.json', { status: 'nothing', text: undefined }],
    ['claude', 'garbage.json', { status: 'nothing', text: undefined, error: undefined }],
    ['claude', 'non-utf8.json', { status: 'ok', text: 'caf\uFFFD\uFFFD au lait' }],
    ['codex', 'success.jsonl', { status: 'ok', text: ANSWER, session: THREAD, events: 8, ignored: 0 }],
    [
      'codex',
      'error.jsonl',
      { status: 'failed', error: 'unexpected status 400 Bad Request: the request is not valid' },
    ],
    ['codex', 'timeout.jsonl', { status: 'nothing', session: THREAD }],
    ['codex', 'truncated.jsonl', { status: 'nothing', session: THREAD, events: 3, ignored: 1 }],
    ['codex', 'garbage.jsonl', { status: 'nothing', events: 0, ignored: 9 }],
    ['codex', 'non-utf8.jsonl', { status: 'ok', text: 'caf\uFFFD\uFFFD au lait', ignored: 1 }],
    ['gemini', 'success.jsonl', { status: 'ok', text: ANSWER, session: SESSION }],
    [
      'gemini',
      'error.jsonl',
      { status: 'failed', error: '[API Error: the request is not valid (Status: 400)]' },
    ],
    ['gemini', 'timeout.jsonl', { status: 'nothing', session: SESSION }],
    ['gemini', 'truncated.jsonl', { status: 'nothing', session: SESSION, ignored: 1 }],
    ['gemini', 'garbage.jsonl', { status: 'nothing', events: 0 }],
    ['gemini', 'non-utf8.jsonl', { status: 'ok', text: 'caf\uFFFD\uFFFD au lait' }],
    ['opencode', 'success.jsonl', { status: 'ok', text: `Looking first. ${ANSWER}`, session: OPENCODE }],
    ['opencode', 'error.jsonl', { status: 'failed', error: 'Bad Request: the request is not valid' }],
    ['opencode', 'timeout.jsonl', { status: 'nothing', session: OPENCODE }],
    ['opencode', 'truncated.jsonl', { status: 'nothing', session: OPENCODE, ignored: 1 }],
    ['opencode', 'garbage.jsonl', { status: 'nothing', events: 0 }],
    ['opencode', 'non-utf8.jsonl', { status: 'ok', text: 'caf\uFFFD\uFFFD au lait' }],
    ['openclaw', 'success.json', { status: 'ok', text: ANSWER, unsettled: undefined }],
    ['openclaw', 'local.json', { status: 'ok', text: ANSWER }],
    ['openclaw', 'with-log.json', { status: 'ok', text: ANSWER }],
    ['openclaw', 'timeout.json', { status: 'failed', error: 'the run timed out', text: undefined }],
    [
      'openclaw',
      'error.json',
      { status: 'failed', error: 'Unknown agent id "nobody"', unsettled: undefined },
    ],
    ['openclaw', 'accepted-error.json', { status: 'failed', unsettled: RUN }],
    ['openclaw', 'in-flight.json', { status: 'failed', unsettled: RUN }],
    ['openclaw', 'truncated.json', { status: 'nothing', unsettled: undefined }],
    ['openclaw', 'garbage.json', { status: 'nothing' }],
    ['openclaw', 'non-utf8.json', { status: 'ok', text: 'caf\uFFFD\uFFFD au lait' }],
  ])('%s %s', async (tool, file, expected) => {
    const reading = await read(tool, fixture(tool, file));
    expect(reading).toMatchObject(expected);
    for (const [key, value] of Object.entries(expected)) {
      if (value === undefined) expect(reading[key as keyof OutputReading]).toBeUndefined();
    }
  });

  it.each<[string, string, object]>([
    ['claude', 'success.json', { ...tokens(2000, 64, 800, 0), cost_usd: 0.0123 }],
    [
      'claude',
      'stream.jsonl',
      { model: 'claude-opus-5-5', ...tokens(40, 20, 0, 0), cost_usd: 0.0005600000000000001 },
    ],
    ['codex', 'success.jsonl', { input_tokens: 1500, output_tokens: 90, cache_read_tokens: 1000 }],
    ['gemini', 'success.jsonl', { model: 'm', input_tokens: 1200, output_tokens: 90, cache_read_tokens: 0 }],
    ['opencode', 'success.jsonl', { ...tokens(1500, 90, 0, 0), cost_usd: 0.003 }],
    ['openclaw', 'success.json', { model: 'm', ...tokens(10, 2, 0, 0), cost_usd: 0.004 }],
  ])('reads the usage from %s %s', async (tool, file, usage) => {
    expect(usageOf((await read(tool, fixture(tool, file))).usage, undefined)).toEqual(usage);
  });

  it('splits counts of a whole session between its attempts, but not counts of a run', async () => {
    const usedIn = async (tool: string, file: string) =>
      usageOf((await read(tool, fixture(tool, file))).usage, undefined);
    const claude = usageOf(
      (await read('claude', fixture('claude', 'resumed.json'))).usage,
      await usedIn('claude', 'success.json'),
    );
    expect(claude).toEqual({ input_tokens: 300, output_tokens: 20, cost_usd: expect.closeTo(0.008, 10) });
    const codex = usageOf(
      (await read('codex', fixture('codex', 'resumed.jsonl'))).usage,
      await usedIn('codex', 'success.jsonl'),
    );
    expect(codex).toEqual({ input_tokens: 600, output_tokens: 30, cache_read_tokens: 0 });
  });

  it.each<[string, object, object]>([
    [
      'claude',
      {
        type: 'result',
        usage: {
          input_tokens: 100,
          cache_read_input_tokens: 800,
          cache_creation_input_tokens: 100,
          output_tokens: 50,
        },
      },
      tokens(1000, 50, 800, 100),
    ],
    [
      'codex',
      { type: 'turn.completed', usage: { input_tokens: 1000, cached_input_tokens: 800, output_tokens: 50 } },
      { input_tokens: 1000, output_tokens: 50, cache_read_tokens: 800 },
    ],
    [
      'gemini',
      {
        type: 'result',
        stats: { total_tokens: 1050, input_tokens: 1000, output_tokens: 20, cached: 800, input: 200 },
      },
      { input_tokens: 1000, output_tokens: 50, cache_read_tokens: 800 },
    ],
    [
      'opencode',
      {
        type: 'step_finish',
        part: { tokens: { input: 100, output: 20, reasoning: 30, cache: { read: 800, write: 100 } } },
      },
      tokens(1000, 50, 800, 100),
    ],
    [
      'openclaw',
      { meta: { agentMeta: { usage: { input: 100, output: 50, cacheRead: 800, cacheWrite: 100 } } } },
      tokens(1000, 50, 800, 100),
    ],
  ])('counts the same work alike: %s', async (tool, event, usage) => {
    const text = Buffer.from(`${JSON.stringify(event)}\n`);
    expect(usageOf((await read(tool, text)).usage, undefined)).toEqual(usage);
  });

  it('takes the model that the program was told to use if it names none', async () => {
    const { usage } = await read('codex', fixture('codex', 'success.jsonl'));
    expect(usageOf(usage, undefined, 'gpt-5')).toMatchObject({ model: 'gpt-5' });
  });
});

describe('output of any size', () => {
  it.each([
    ['codex', 'success.jsonl'],
    ['gemini', 'success.jsonl'],
    ['opencode', 'success.jsonl'],
    ['claude', 'success.json'],
    ['openclaw', 'success.json'],
  ])('of %s is read through 100 MB of noise in bounded memory', async (tool, file) => {
    const end = fixture(tool, file);
    const noise = Buffer.from(`${'{"type":"noise","text":"'}${'x'.repeat(65_000)}"}\n`);
    const { output, settle } = resolveDriver({}, tool);
    let peak = 0;
    async function* pieces(): AsyncIterable<Buffer> {
      for (let bytes = 0; bytes < 100_000_000; bytes += noise.length) {
        yield noise;
        peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      }
      yield end;
    }
    const before = process.memoryUsage().arrayBuffers;
    expect(await readOutput(pieces(), { output, settle })).toMatchObject({
      status: 'ok',
      text: expect.stringContaining(ANSWER),
    });
    expect(peak - before).toBeLessThan(80_000_000);
  });

  it.each([
    ['openclaw', '{\n', 7_000_000],
    ['openclaw', '{"a":[\n', 2_000_000],
    ['codex', '{\n', 7_000_000],
    ['codex', '{"a}\n', 2_800_000],
  ])('of %s is found after millions of lines that could be JSON: %j', async (tool, line, count) => {
    const file = tool === 'codex' ? 'success.jsonl' : 'success.json';
    const between = 'x'.repeat(70_000);
    const bytes = Buffer.from(`${line.repeat(count)}${between}\n${fixture(tool, file)}`);
    const expected = { status: 'ok', text: expect.stringContaining(ANSWER) };
    expect(await read(tool, bytes, 64 * 1_024)).toMatchObject(expected);
  });

  it('leaves out a line that is too long and reads the next ones', async () => {
    const [first, ...rest] = fixture('codex', 'success.jsonl').toString().split('\n');
    const bytes = Buffer.from([first, `{"x":"${'y'.repeat(17_000_000)}"}`, ...rest].join('\n'));
    expect(await read('codex', bytes, 64 * 1_024)).toMatchObject({
      status: 'ok',
      text: ANSWER,
      session: THREAD,
      ignored: 1,
    });
  });

  it('keeps a long text whole, and the end of one that is too long, with a mark', async () => {
    const message = { type: 'message', role: 'assistant', content: 'z'.repeat(1_000_000), delta: true };
    const many = Array.from({ length: 20 }, () => JSON.stringify(message));
    const bytes = Buffer.from(
      [
        ...many,
        JSON.stringify({ ...message, content: 'the end' }),
        '{"type":"result","status":"success"}',
      ].join('\n'),
    );
    const { text } = await read('gemini', bytes, 64 * 1_024);
    expect(text?.slice(0, 80)).toMatch(
      /^\[The beginning is missing: only the last 16777216 characters are kept\.\]\nz/,
    );
    expect(text?.slice(-7)).toBe('the end');
    const few = [...many.slice(0, 3), '{"type":"result","status":"success"}'].join('\n');
    expect((await read('gemini', Buffer.from(few), 64 * 1_024)).text).toBe('z'.repeat(3_000_000));
  });

  it('ignores the colours of a terminal around its JSON', async () => {
    const [first, ...rest] = fixture('codex', 'success.jsonl').toString().split('\n');
    const coloured = ['\u001b[0m\u001b[1m', first, '\u001b[0m\n', rest.join('\n')].join('');
    expect(await read('codex', Buffer.from(coloured), 100)).toMatchObject({ text: ANSWER, session: THREAD });
    const document = `\u001b[?25l\u001b[32m${fixture('claude', 'success.json').toString().trim()}\u001b[0m\n`;
    expect(await read('claude', Buffer.from(document), 100)).toMatchObject({ status: 'ok' });
  });
});

describe('the output of `openclaw gateway call agent.wait`', () => {
  it.each<[string, Partial<OutputReading>]>([
    ['wait-running.json', { status: 'nothing', unsettled: RUN }],
    ['wait-ok.json', { status: 'ok', text: ANSWER, unsettled: undefined }],
    ['wait-aborted.json', { status: 'failed', error: 'rpc', unsettled: undefined }],
  ])('%s', async (file, expected) => {
    const { settle } = resolveDriver({}, 'openclaw');
    if (!settle) throw new Error('openclaw has no settle');
    const rules = { output: settle.output, settle: { when: settle.running, run_id: settle.run_id } };
    expect(await readOutput(inPieces(fixture('openclaw', file)), rules)).toMatchObject(expected);
  });
});
