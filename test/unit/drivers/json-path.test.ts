import { describe, expect, it } from 'vitest';
import { holds, parseCondition, parsePath, valuesAt } from '../../../src/drivers/declared/json-path.ts';

const DOCUMENT = {
  type: 'result',
  ok: false,
  result: { payloads: [{ text: 'a' }, { text: 'b', isError: true }, { text: 'c', isError: false }] },
  usage: { 'input-tokens': 3 },
  nothing: null,
};

describe('a path', () => {
  it.each<[string, unknown[]]>([
    ['$', [DOCUMENT]],
    ['type', ['result']],
    ['usage.input-tokens', [3]],
    ['result.payloads[].text', ['a', 'b', 'c']],
    ['result.payloads[1].text', ['b']],
    ['result.payloads[isError!=true].text', ['a', 'c']],
    ['result.payloads[isError=true].text', ['b']],
    ['result.payloads[!isError].text', ['a', 'c']],
    ['missing.at.all', []],
    ['type.length', []],
    ['constructor', []],
    ['result.payloads[9].text', []],
  ])('%s', (path, values) => {
    expect(valuesAt(DOCUMENT, parsePath(path))).toEqual(values);
  });

  it.each(['', 'a..b', 'a b', 'a[', 'a.', '.a', 'a[b c=1]'])('that is not valid is refused: %j', (path) => {
    expect(() => parsePath(path)).toThrow(/path/);
  });
});

describe('a condition', () => {
  it.each<[string, boolean]>([
    ['type=result', true],
    ['type=error|result', true],
    ['type!=result', false],
    ['missing!=x', true],
    ['ok', false],
    ['!ok', true],
    ['nothing', false],
    ['ok=false', true],
    ['type=result & ok=false', true],
    ['type=result & ok=true', false],
    ['result.payloads', true],
  ])('%s', (text, expected) => {
    expect(holds(DOCUMENT, parseCondition(text))).toBe(expected);
  });
});
