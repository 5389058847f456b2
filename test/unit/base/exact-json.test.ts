/** JSON that JavaScript would not keep as it was written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  faultInJson,
  faultText,
  isKept,
  MAX_JSON_DEPTH,
  readExactJson,
  readExactValue,
} from '../../../src/base/exact-json.ts';
import { hasLoneSurrogate, wellFormedValue } from '../../../src/base/text/well-formed.ts';

const inText = (json: string) => {
  JSON.parse(json);
  return faultInJson(json);
};
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('numbers in JSON', () => {
  it.each([
    ['{"params":{"n":9007199254740993}}', 'params.n', '9007199254740993'],
    ['{"a":[1,{"b c":[0,1e400]}]}', 'a[1].b c[1]', '1e400'],
    ['[-1e400]', '[0]', '-1e400'],
    ['1e-400', '', '1e-400'],
    ['{"x":0.12345678901234567890}', 'x', '0.12345678901234567890'],
    [
      '{"a":"1e400","b":["9007199254740993\\"",{"c":{}}], "d" : 123456789012345678}',
      'd',
      '123456789012345678',
    ],
  ])('finds the one that would be changed in %s', (json, path, written) => {
    expect(inText(json)).toMatchObject({ path, message: expect.stringContaining(`the number ${written} `) });
  });

  it.each([
    '{"a":9007199254740991,"b":-9007199254740992,"c":1.5e300,"d":1e+22}',
    '{"a":"9007199254740993","b":"1e400","9007199254740993":1}',
    '[1.000000000000000000000,0.1,1e5,100000000000000000000,0e999,-0.0,5e-324,1.7976931348623157e308]',
    '{"id":"1234567890123456789012345678901234567890"}',
  ])('accepts %s', (json) => {
    expect(inText(json)).toBeNull();
  });

  it('is done quickly with a number of a million digits', () => {
    const begin = performance.now();
    for (const json of [
      `1${'0'.repeat(1e6)}1`,
      `0.${'0'.repeat(1e6)}1`,
      `0e${'9'.repeat(1e6)}`,
      `1e${'0'.repeat(1e6)}1`,
    ])
      inText(json);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});

describe('keys in JSON', () => {
  it.each([
    ['{"a":1,"a":1}', 'a'],
    [String.raw`{"a":1,"\u0061":2}`, 'a'],
    [String.raw`{"p":[{},{"x":{"\u0062":1, "b" :2}}]}`, 'p[1].x.b'],
    ['{"":0,"":0}', ''],
    ['[[{"k":{"k":1},"l":[{"k":1}],"k":0}]]', '[0][0].k'],
    [String.raw`{"a\"b":1,"a\u0022b":2}`, 'a"b'],
  ])('refuses one that is there twice: %s', (json, path) => {
    expect(inText(json)).toEqual({ path, message: 'the key is there twice: keep one of them' });
  });

  it.each([
    ['{"__proto__":1}', '__proto__'],
    [String.raw`{"a":[{"\u005f_proto__":{}}]}`, 'a[0].__proto__'],
  ])('refuses __proto__: %s', (json, path) => {
    expect(inText(json)).toMatchObject({ path, message: expect.stringContaining('__proto__') });
  });

  it.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"a","A":"\\"a\\":1,\\"a\\":2"}',
    '["a","a",{"constructor":{"prototype":1}}]',
    '{"\\\\":1,"\\\\\\\\":2}',
    '{"é":1,"e\u0301":2}',
  ])('accepts %s', (json) => {
    expect(inText(json)).toBeNull();
  });

  it('shows no more than the beginning of a long key', () => {
    const key = 'k'.repeat(100_000);
    expect(inText(`{"${key}":1,"${key}":2}`)?.path.length).toBeLessThan(200);
  });
});

describe('texts in JSON', () => {
  it.each([
    [String.raw`{"t":"\ud800"}`, 't'],
    [String.raw`["a\uDC00b"]`, '[0]'],
    [String.raw`["\ud83d\ude00","\ude00\ud83d"]`, '[1]'],
    [String.raw`{"x":{"\udfff":1}}`, 'x.\ufffd'],
    [String.raw`"\\\ud800"`, ''],
    ['"\ud800"', ''],
    ['{"\udc00":0}', '\ufffd'],
  ])('refuses half of a surrogate pair: %s', (json, path) => {
    expect(inText(json)).toMatchObject({ path, message: expect.stringContaining('surrogate pair') });
  });

  it.each([String.raw`["\ud83d\ude00","\\ud800","\\\\ud800","\ud7ff\ue000","\u0000"]`, '["😀","é"]'])(
    'accepts %s',
    (json) => {
      expect(inText(json)).toBeNull();
    },
  );
});

describe('a whole text', () => {
  it('may be nested as deeply as is allowed, and no deeper', () => {
    expect(inText(nested(MAX_JSON_DEPTH))).toBeNull();
    const fault = { path: '', message: `nested deeper than ${MAX_JSON_DEPTH} levels` };
    expect(inText(nested(MAX_JSON_DEPTH + 1))).toEqual(fault);
    expect(inText(`{"a":${nested(100_000)}}`)).toEqual(fault);
  });

  it('is a value, or says why it is not', () => {
    expect(readExactJson(' {"a" : [1, "x"]} ')).toEqual({ ok: true, value: { a: [1, 'x'] } });
    const textOf = (json: string): string => {
      const read = readExactJson(json);
      return read.ok ? 'accepted' : faultText(read.fault);
    };
    expect(textOf('{"a":')).toMatch(/^not JSON: /);
    expect(textOf('{"a":1,"a":2}')).toBe('a: the key is there twice: keep one of them');
  });

  it('is accepted if JavaScript itself has written it, and read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => isKept(JSON.stringify(n))),
    );
    const value = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (given, space) => {
        const json = JSON.stringify(given, null, space);
        fc.pre(!json.includes('__proto__'));
        expect(readExactJson(json)).toEqual({ ok: true, value: JSON.parse(json) });
      }),
    );
  });

  it('is refused exactly if a reader that keeps every pair of key and value finds a key again', () => {
    const key = fc.constantFrom('a', 'b', String.raw`\u0061`, String.raw`\u0062`, 'a b', '{', '":');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.constant({ json: '1', isTwice: false }),
        fc.array(tie('tree'), { maxLength: 3 }).map((items) => listOf(items as Written[])),
        fc
          .array(fc.tuple(key, tie('tree')), { maxLength: 3 })
          .map((pairs) => objectOf(pairs as [string, Written][])),
      ),
    }));
    fc.assert(
      fc.property(tree, (written) => {
        const { json, isTwice } = written as Written;
        expect(readExactJson(json).ok).toBe(!isTwice);
      }),
    );
  });
});

interface Written {
  readonly json: string;
  readonly isTwice: boolean;
}

const listOf = (items: readonly Written[]): Written => ({
  json: `[${items.map(({ json }) => json).join(' , ')}]`,
  isTwice: items.some(({ isTwice }) => isTwice),
});

function objectOf(pairs: readonly (readonly [string, Written])[]): Written {
  const raw = pairs.map(([key]) => key.replaceAll('"', String.raw`\"`));
  const keys = raw.map((each) => JSON.parse(`"${each}"`));
  return {
    json: `{${pairs.map(([, { json }], index) => `"${raw[index]}": ${json}`).join(',')}}`,
    isTwice: new Set(keys).size < keys.length || pairs.some(([, { isTwice }]) => isTwice),
  };
}

describe('a value of a program', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each<[string, unknown, string]>([
    ['half of a surrogate pair', { a: ['\ud800'] }, 'a[0]'],
    ['half of a surrogate pair in a key', { '\udc00': 1 }, '\ufffd'],
    ['not a number', { a: { b: Number.NaN } }, 'a.b'],
    ['infinity', [Number.POSITIVE_INFINITY], '[0]'],
    ['a bigint', { a: 1n }, 'a'],
    ['a function', { a: () => 1 }, 'a'],
    ['a date', { at: new Date(0) }, 'at'],
    ['a map', { m: new Map() }, 'm'],
    ['a hole in a list', [undefined], '[0]'],
    ['__proto__', JSON.parse('{"x":{"__proto__":1}}'), 'x'],
    ['itself', cyclic, ''],
  ])('is refused with %s', (_what, value, path) => {
    expect(readExactValue(value)).toMatchObject({ ok: false, fault: { path } });
  });

  it('is copied without what is undefined', () => {
    const given = { a: [1, { b: null }], c: undefined, d: Object.assign(Object.create(null), { e: 'é' }) };
    const read = readExactValue(given);
    expect(read).toEqual({ ok: true, value: { a: [1, { b: null }], d: { e: 'é' } } });
    given.a.push(2);
    expect(read).toMatchObject({ value: { a: [1, { b: null }] } });
  });

  it('can be made well-formed, with its keys', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00', '😀') });
    fc.assert(
      fc.property(text, text, (key, each) => {
        const made = JSON.stringify(wellFormedValue({ [key]: [each, 1, null] }));
        expect(hasLoneSurrogate(made)).toBe(false);
        expect(made).not.toContain('\\ud');
      }),
    );
    expect(wellFormedValue({ 'a\ud800': ['\udc00😀', true] })).toEqual({ 'a\ufffd': ['\ufffd😀', true] });
  });
});
