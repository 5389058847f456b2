/** Answers that are cut until they fit into the context of a model. */
import { describe, expect, it } from 'vitest';
import { fitted, partOf, valueAt } from '../../../src/client/mcp/fit.ts';

/** As a tool answers: as a structure and as text. */
const bytes = (value: object): number =>
  Buffer.byteLength(JSON.stringify({ text: JSON.stringify(value), structured: value }));

function filled<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** An object in an object, each with a long text beside it. */
function nested(levels: number, key: string, textLength: number): object {
  return filled(levels, (n) => n).reduce<object>(
    (inner, n) => ({ [key]: inner, [`b${n}`]: 'x'.repeat(textLength) }),
    {},
  );
}

describe('an answer of a tool', () => {
  it('is left as it is if it is small', () => {
    const value = { a: 'x', b: [1] };
    expect(fitted(value, 100, bytes)).toEqual({ value, cuts: [] });
  });

  it.each([
    ['one text', { id: 'a', outputs: [{ content: 'x'.repeat(262_144) }] }],
    ['quotation marks', { content: '"\\'.repeat(200_000) }],
    ['Chinese', { content: '猫'.repeat(400_000), title: 'short' }],
    ['many comments', { comments: Array.from({ length: 10_000 }, () => ({ body: 'y'.repeat(500) })) }],
    ['many keys', { params: Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`k${n}`, n])) }],
    ['long paths', { params: nested(55, 'a'.repeat(100), 3_000) }],
    ['long keys', { params: Object.fromEntries(filled(60, (n) => ['k'.repeat(900) + n, n])) }],
    ['keys that need escapes', { params: nested(55, '\u0001"'.repeat(20), 3_000) }],
  ])('fits with %s, and says what was cut', (_, value) => {
    const { value: shown, cuts } = fitted(value, 20_000, bytes);
    expect(bytes({ ...shown, truncated: cuts })).toBeLessThanOrEqual(20_000);
    expect(bytes(shown)).toBeGreaterThan(2_000);
    expect(cuts.length).toBeGreaterThan(0);
    for (const { size, shown: count } of cuts) expect(count).toBeLessThan(size);
    for (const { path } of cuts) expect(valueAt(value, path), path).toBeDefined();
  });

  it('names what is above a value whose path is too long', () => {
    const params = { a: 1, ['k'.repeat(900)]: 'x'.repeat(30_000), b: 2 };
    const { value: shown, cuts } = fitted({ params }, 20_000, bytes);
    expect(shown).toEqual({ params: { a: 1 } });
    expect(cuts).toEqual([{ path: 'params', size: 3, shown: 1 }]);
    const part = partOf({ params }, 'params', 1, (each) => bytes(each) <= 20_000);
    expect(part).toMatchObject({
      size: 3,
      next_offset: 2,
      part: [['k'.repeat(900), params['k'.repeat(900)]]],
    });
  });

  it('is read on in parts, which together are the whole', () => {
    const content = 'a😀"'.repeat(50_000);
    const value = { outputs: [{ content }] };
    let read = '';
    for (let offset: number | null = 0; offset !== null; ) {
      const part = partOf(value, 'outputs[0].content', offset, (each) => bytes(each) <= 20_000);
      if (part === null) throw new Error('it is there');
      expect(bytes(part)).toBeLessThanOrEqual(20_000);
      read += String(part.part);
      offset = part.next_offset;
    }
    expect(read).toBe(content);
    expect(partOf(value, 'outputs[1].content', 0, () => true)).toBeNull();
    expect(partOf(value, 'constructor', 0, () => true)).toBeNull();
    expect(partOf(value, 'outputs', 0, () => true)).toMatchObject({ size: 1, next_offset: null });
  });
});
