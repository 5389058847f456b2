import { describe, expect, it } from 'vitest';
import { errorLine } from '../../../src/base/text/error-line.ts';

describe('errorLine', () => {
  it.each([
    [
      'Traceback (most recent call last):\n  File "a.py"\nModuleNotFoundError: No module named \'torch\'\n',
      "ModuleNotFoundError: No module named 'torch'",
    ],
    [
      'start\n\u001b[31merror\u001b[0m: cannot parse line 42\nNode.js v20.20.2\n\n',
      'error: cannot parse line 42',
    ],
    ['sh: 1: foo: not found\n', 'sh: 1: foo: not found'],
    ['one\r\ntwo\r\n', 'two'],
    ['  \n', undefined],
  ])('finds the line that says what went wrong: %j', (text, line) => {
    expect(errorLine(text)).toBe(line);
  });

  it('is short', () => {
    expect(errorLine('😀'.repeat(5_000))).toBe(`${'😀'.repeat(149)}…`);
  });
});
