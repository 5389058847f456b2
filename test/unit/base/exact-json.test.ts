/** Numbers in JSON that JavaScript would change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inexactNumberIn, isKept } from '../../../src/base/exact-json.ts';

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
    expect(inexactNumberIn(json)).toEqual({ path, written });
  });

  it.each([
    '{"a":9007199254740991,"b":-9007199254740992,"c":1.5e300,"d":1e+22}',
    '{"a":"9007199254740993","b":"1e400","9007199254740993":1}',
    '[1.000000000000000000000,0.1,1e5,100000000000000000000,0e999,-0.0,5e-324,1.7976931348623157e308]',
    '{"id":"1234567890123456789012345678901234567890"}',
  ])('accepts %s', (json) => {
    expect(inexactNumberIn(json)).toBeNull();
  });

  it('accepts everything that JavaScript itself has written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => isKept(JSON.stringify(n))),
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => inexactNumberIn(JSON.stringify(value)) === null));
  });

  it('is done quickly with a number of a million digits', () => {
    const begin = performance.now();
    for (const json of [
      `1${'0'.repeat(1e6)}1`,
      `0.${'0'.repeat(1e6)}1`,
      `0e${'9'.repeat(1e6)}`,
      `1e${'0'.repeat(1e6)}1`,
    ])
      inexactNumberIn(json);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
