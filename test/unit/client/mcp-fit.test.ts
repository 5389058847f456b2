/** Answers that are cut until they fit into the context of a model. */
import { describe, expect, it } from 'vitest';
import { fitted, partOf } from '../../../src/client/mcp/fit.ts';

const bytes = (value: object): number => Buffer.byteLength(JSON.stringify(value));

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
  ])('fits with %s, and says what was cut', (_, value) => {
    const { value: shown, cuts } = fitted(value, 20_000, bytes);
    expect(bytes({ ...shown, truncated: cuts })).toBeLessThanOrEqual(20_000);
    expect(bytes(shown)).toBeGreaterThan(2_000);
    expect(cuts.length).toBeGreaterThan(0);
    for (const { size, shown: count } of cuts) expect(count).toBeLessThan(size);
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
