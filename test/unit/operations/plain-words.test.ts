/** Bad values for every field of every operation, message and setting: no fault may show the wording of the schema library. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkValue } from '../../../src/config/check.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { agentMessageSchemas } from '../../../src/contracts/messages/agent-messages.ts';
import { OPERATIONS } from '../../../src/operations/index.ts';
import { parse } from '../../../src/operations/parse.ts';

const RAW = /Invalid|Too (small|big)|received|Unrecognized|to have|to be\b|Expected|undefined|NaN/;

const LONG = 'x'.repeat(400_001);
const KEY = 'k'.repeat(600);
const BAD: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    '',
    ' ',
    '\0',
    'no such word',
    LONG,
    '2030-01-31T12:00:00',
    'ftp://x',
    '=',
    '1e400',
  ],
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 1e300],
  ...[[], [null], ['', 'x'.repeat(3_000)], Array.from({ length: 101 }, (_, index) => `a${index}`)],
  ...[{}, { unknown: 1 }, { [KEY]: KEY }, { '': null }],
];

const MAX_DEPTH = 2;

/** The bad values of a schema, and valid shapes with one bad value inside. */
function badOf(schema: z.core.$ZodType, depth = 0): readonly unknown[] {
  if (depth > MAX_DEPTH) return BAD;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return badOf(schema.unwrap(), depth);
  if (schema instanceof z.ZodLazy) return badOf(schema.unwrap(), depth + 1);
  if (schema instanceof z.ZodPipe) return [...badOf(schema.in, depth), ...badOf(schema.out, depth)];
  if (schema instanceof z.ZodArray) return [...BAD, ...badOf(schema.element, depth + 1).map((bad) => [bad])];
  if (schema instanceof z.ZodRecord)
    return [...BAD, ...badOf(schema.valueType, depth + 1).map((bad) => ({ name: bad }))];
  if (schema instanceof z.ZodUnion)
    return [...BAD, ...schema.options.flatMap((each) => badOf(each, depth + 1))];
  if (!(schema instanceof z.ZodObject)) return BAD;
  const fields = Object.entries<z.core.$ZodType>(schema.shape);
  const literals = Object.fromEntries(
    fields.flatMap(([name, field]) => (field instanceof z.ZodLiteral ? [[name, field.value]] : [])),
  );
  return [
    ...BAD,
    ...fields.flatMap(([name, field]) =>
      badOf(field, depth + 1).map((bad) => ({ ...literals, [name]: bad })),
    ),
  ];
}

function faultOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof SignalboxError) return [error.message];
    throw error;
  }
}

function rawTexts(schema: z.ZodType, texts: (bad: unknown) => readonly string[]): string[] {
  const bad = badOf(schema);
  const all = bad.flatMap((value) => texts(value));
  // A walk that finds no fault checks nothing.
  if (all.length === 0) return ['no bad value was refused'];
  return [...new Set(all.filter((text) => RAW.test(text)))];
}

const inputs = OPERATIONS.flatMap(({ name, input }) =>
  (['query', 'body'] as const).flatMap((part) => {
    const schema: z.ZodType | undefined = input[part];
    return schema === undefined ? [] : [[name, part, schema] as const];
  }),
);

describe('a fault is told in plain words', { timeout: 120_000 }, () => {
  it.each(inputs)('operation %s, %s', (_, part, schema) => {
    expect(rawTexts(schema, (bad) => faultOf(() => parse(schema, bad, part)))).toEqual([]);
  });

  it.each(Object.entries(agentMessageSchemas))('message %s', (kind, schema) => {
    expect(rawTexts(schema, (bad) => faultOf(() => parse(schema, bad, kind)))).toEqual([]);
  });

  it('configuration', () => {
    const messages = (bad: unknown): readonly string[] => {
      const checked = checkValue(configSchema, bad);
      // What was found is shown as it was written.
      return checked.ok ? [] : checked.problems.map(({ message }) => message.replace(/, got .*/s, ''));
    };
    expect(rawTexts(configSchema, messages)).toEqual([]);
  });
});
