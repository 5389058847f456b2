/** Messages on standard input of the MCP server in which something would be lost. */
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ExactLines } from '../../../src/client/mcp/exact-lines.ts';

/** What is passed on, and what is answered, for an input in pieces of this size. */
async function through(input: Buffer, size: number): Promise<{ passed: Buffer; answers: string }> {
  const answered = new PassThrough();
  const lines = new ExactLines(answered);
  const passed = buffer(lines);
  for (let at = 0; at < input.length; at += size) lines.write(input.subarray(at, at + size));
  lines.end();
  const all = await passed;
  answered.end();
  return { passed: all, answers: await text(answered) };
}

const GOOD = '{"jsonrpc":"2.0","id":1,"method":"é"}\r\n';
const OTHER = 'no JSON\n\n{"jsonrpc":"2.0","method":"x"}';

describe.each([1, 7, 1_000_000])('standard input in pieces of %i bytes', (size) => {
  it('is passed on as it is if every message is kept exactly, or is no JSON', async () => {
    const input = Buffer.from(GOOD + OTHER);
    expect(await through(input, size)).toEqual({ passed: input, answers: '' });
  });

  it.each([
    ['{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":1,"\\u0061":2}}\n', 7, /params\.a: .*there twice/],
    ['{"jsonrpc":"2.0","id":"b","method":"x","params":["\\udc00"]}\n', 'b', /params\[0\]: .*surrogate/],
    ['{"jsonrpc":"2.0","id":2,"params":{"n":9007199254740993}}\n', 2, /kept exactly/],
    ['{"jsonrpc":"2.0","id":{},"__proto__":1}\n', null, /not allowed/],
  ])('is answered and not passed on: %s', async (line, id, message) => {
    const { passed, answers } = await through(Buffer.from(GOOD + line + OTHER), size);
    expect(passed.toString()).toBe(GOOD + OTHER);
    const error = { code: -32_600, message: expect.stringMatching(message) };
    expect(JSON.parse(answers)).toEqual({ jsonrpc: '2.0', id, error });
  });

  it('is answered if it is not UTF-8', async () => {
    const { passed, answers } = await through(Buffer.from('{"id":1,"a":"\xff"}\n', 'latin1'), size);
    expect(passed).toHaveLength(0);
    expect(answers).toContain('not UTF-8');
  });
});

it('a line without an end is passed on, and not kept', async () => {
  const input = Buffer.alloc(12 * 1_024 * 1_024, 'x');
  expect((await through(input, 65_536)).passed.equals(input)).toBe(true);
});
