/** Where texts are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, lastText } from '../../../src/base/text/cut-text.ts';

describe('a text that is cut', () => {
  it.each([
    ['ab', 5, '', 'ab'],
    ['abcdef', 3, '', 'abc'],
    ['abcdef', 3, '…', 'ab…'],
    ['ab😀', 3, '', 'ab'],
    ['ab😀c', 4, '', 'ab😀'],
    ['x👨‍👩‍👧y', 5, '', 'x'],
    ['e\u0301e\u0301', 3, '', 'e\u0301'],
    ['😀', 1, '…', '…'],
  ])('%j keeps whole characters within %d', (text, max, mark, cut) => {
    expect(cutText(text, max, mark)).toBe(cut);
  });

  it('keeps whole characters at its end, too', () => {
    expect(lastText('a😀b', 2)).toBe('b');
    expect(lastText('a😀b', 3)).toBe('😀b');
    expect(lastText('abc', 2)).toBe('bc');
  });

  it('is never longer than allowed, and holds no half of a pair', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', '😀', '\u0301', '👨‍👩‍👧', '\u200d', '猫'),
      maxLength: 300,
    });
    fc.assert(
      fc.property(texts, fc.nat(400), (text, max) => {
        for (const cut of [cutText(text, max), cutText(text, max, '…'), lastText(text, max)]) {
          expect(cut.length).toBeLessThanOrEqual(Math.max(max, 1));
          expect(cut).not.toMatch(/[\ud800-\udfff]/u);
        }
        expect(text.startsWith(cutText(text, max))).toBe(true);
        expect(text.endsWith(lastText(text, max))).toBe(true);
      }),
    );
  });
});
