import { expect, it } from 'vitest';
import { Lru } from '../../../src/base/lru.ts';

it('drops the entry that was used longest ago', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  expect(lru.get('a')).toBe(1);
  lru.set('c', 3);
  expect(['a', 'b', 'c'].map((key) => lru.get(key))).toEqual([1, undefined, 3]);
  expect(lru.size).toBe(2);
});
