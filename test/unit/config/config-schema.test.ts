import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { closest, editDistance } from '../../../src/config/closest.ts';
import { configJsonSchema } from '../../../src/config/parse-config.ts';
import { prioritySchema } from '../../../src/contracts/config-values.ts';

describe('configJsonSchema', () => {
  const schema = configJsonSchema();
  const accepts = (value: unknown) => z.fromJSONSchema(schema).safeParse(value).success;

  it('is plain JSON of a draft that editors support', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  });

  it('describes every section and every key of a section', () => {
    const undescribed = Object.entries(schema.properties ?? {}).flatMap(([name, section]) => {
      if (typeof section === 'boolean') return [name];
      const keys = Object.entries(section.properties ?? {}).map(
        ([key, value]) => [`${name}.${key}`, value] as const,
      );
      return [[name, section] as const, ...keys]
        .filter(([, value]) => typeof value === 'boolean' || !value.description)
        .map(([path]) => path);
    });
    expect(undescribed).toEqual([]);
  });

  it('requires no key that has a default', () => {
    expect(accepts({})).toBe(true);
    expect(accepts({ agents: { a: { driver: 'command', command: ['node', 'a.mjs'] } } })).toBe(true);
    expect(accepts({ $schema: './x.json', defaults: { priority: 'high' }, server: { port: 0 } })).toBe(true);
  });

  it.each([
    { agnets: {} },
    { server: { port: 'x' } },
    { server: { host: 'http://h' } },
    { agents: { a: { driver: 'command' } } },
    { agents: { a: { driver: 'function' } } },
    { agents: { a: { driver: 'dry_run', concurency: 2 } } },
    { agents: { 'a b': { driver: 'dry_run' } } },
    { defaults: { priority: 11 } },
  ])('rejects values that a file cannot contain: %j', (value) => {
    expect(accepts(value)).toBe(false);
  });
});

describe('prioritySchema', () => {
  it.each([
    ['low', 1],
    ['normal', 5],
    ['high', 10],
    [1, 1],
    [10, 10],
  ])('reads %j as %i', (value, priority) => {
    expect(prioritySchema.parse(value)).toBe(priority);
  });

  it.each([0, 11, 1.5, 'urgent', '5', null, undefined])('refuses %j and says what is expected', (value) => {
    expect(prioritySchema.safeParse(value).error?.issues.map((issue) => issue.message)).toEqual([
      'expected a whole number from 1 to 10, or low, normal or high',
    ]);
  });
});

describe('closest', () => {
  it.each([
    ['concurency', 'concurrency'],
    ['conucrrency', 'concurrency'],
    ['maxAttempts', 'max_attempts'],
    ['timeout', 'timeout_seconds'],
    ['env', 'env'],
    ['tag', undefined],
    ['', undefined],
  ])('understands %j as %j', (word, meant) => {
    expect(closest(word, ['concurrency', 'max_attempts', 'timeout_seconds', 'env', 'cwd'])).toBe(meant);
  });

  it('measures 0 between equal words, the same both ways, and never more than the longer word', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
