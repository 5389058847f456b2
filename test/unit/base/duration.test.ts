import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/base/duration.ts';

describe('a duration', () => {
  it.each([
    ['90', 90],
    ['0.5', 0.5],
    ['90s', 90],
    ['250ms', 0.25],
    ['5m', 300],
    ['2 h', 7_200],
    ['1h30m', 5_400],
    ['1d 12h', 129_600],
    ['1w', 604_800],
  ])('%s is %d s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['', ' ', 'm', '5x', '-5m', '5m ago', '1e3', '5 m 3', `${'1h'.repeat(30)}`])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );
});
