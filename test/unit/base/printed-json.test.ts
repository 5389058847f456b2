import { describe, expect, it } from 'vitest';
import { printedJson } from '../../../src/base/text/printed-json.ts';

const any = (value: unknown): unknown => value;

describe('JSON that an agent prints', () => {
  it.each([
    ['alone', '{"a":1}'],
    ['in a block of code', '```json\n{"a":1}\n```'],
    ['within marks', '`{"a":1}`'],
    ['on its last line', 'I think so.\n{"a":0}\n{"a":1}\nDone.'],
  ])('is found %s', (_, text) => {
    expect(printedJson(text, any)).toEqual({ a: 1 });
  });

  it('is not found in a text without any', () => {
    expect(printedJson('no {"a": nothing', any)).toBeNull();
  });

  it.each([
    ['lines that only look like it', '{x}\n'.repeat(60_000)],
    ['marks', `${'`'.repeat(200_000)}x`],
  ])('is looked for in bounded time among %s', (_, text) => {
    let refused = 0;
    const counting = (value: unknown): unknown => {
      refused += 1;
      return value;
    };
    expect(printedJson(text, counting)).toBeNull();
    expect(refused).toBe(0);
  });

  it('is looked for in the last 1,000 lines', () => {
    let seen = 0;
    const refuse = (): null => {
      seen += 1;
      return null;
    };
    printedJson('{"a":1}\n'.repeat(5_000), refuse);
    expect(seen).toBe(999);
  });
});
