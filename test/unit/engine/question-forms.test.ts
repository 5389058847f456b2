/** Forms that no answer fits are not asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askQuestionSchema } from '../../../src/contracts/api/questions.ts';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import {
  type AnswerContent,
  type FormField,
  formFieldSchema,
  PERMISSION_OPTIONS,
  type QuestionSpec,
} from '../../../src/contracts/questions.ts';
import { checkedAnswer, checkedQuestion } from '../../../src/engine/supervisor/questions/check.ts';
import { parse } from '../../../src/operations/parse.ts';

const form = (field: FormField, required?: string[]): QuestionSpec => ({
  kind: 'form',
  message: 'Which?',
  schema: { type: 'object', properties: { a: field }, required },
});

function faultOf(question: QuestionSpec): string | null {
  try {
    checkedQuestion(question);
    return null;
  } catch (error) {
    return error instanceof SignalboxError ? `${error.code}: ${error.message}` : String(error);
  }
}

const fits = (question: QuestionSpec, content: AnswerContent): boolean => {
  try {
    return checkedAnswer(question, { action: 'accepted', content }).action === 'accepted';
  } catch {
    return false;
  }
};

const one = (choices: string[]): { type: 'string'; enum: string[] } => ({ type: 'string', enum: choices });

describe('a form that no answer fits is refused', () => {
  it.each<[FormField, RegExp]>([
    [{ type: 'string', minLength: 5, maxLength: 3 }, /expected text from 5 to 3 characters/],
    [{ type: 'string', minLength: 40_000 }, /at most 32768 characters/],
    [{ type: 'string', minLength: 1_000_000_000, maxLength: 2_000_000_000 }, /at most 32768 characters/],
    [{ ...one(['a', 'bb']), minLength: 3 }, /expected text of at least 3 characters/],
    [{ ...one(['a', 'bb']), format: 'date' }, /expected the format date/],
    [{ ...one(['a']), oneOf: [{ const: 'a', title: 'A' }] }, /either "enum" or "oneOf"/],
    [{ type: 'string', oneOf: [{ const: 'abc', title: 'A' }], maxLength: 2 }, /of at most 2 characters/],
    [{ type: 'string', format: 'date', maxLength: 9 }, /of at most 9 characters/],
    [{ type: 'string', format: 'date', minLength: 11 }, /of at least 11 characters/],
    [{ type: 'string', format: 'date-time', maxLength: 19 }, /of at most 19 characters/],
    [{ type: 'string', format: 'email', maxLength: 2 }, /of at most 2 characters/],
    [{ type: 'string', format: 'email', minLength: 321 }, /expected the format email/],
    [{ type: 'number', minimum: 2, maximum: 1 }, /a number from 2 to 1/],
    [{ type: 'integer', minimum: 1.2, maximum: 1.8 }, /a number from 1.2 to 1.8/],
    [{ type: 'array', items: { enum: ['a', 'b'] }, minItems: 2, maxItems: 1 }, /a list from 2 to 1 items/],
    [{ type: 'array', items: { enum: ['a', 'a'] }, minItems: 2 }, /wants 2 items, and has 1 choices/],
  ])('%j', (field, reason) => {
    for (const required of [undefined, ['a']]) {
      expect(faultOf(form(field, required))).toMatch(/^invalid_request: schema\.properties\.a: /);
      expect(faultOf(form(field, required))).toMatch(reason);
    }
  });

  it('if its shortest answer is too large, and only then', () => {
    const properties = Object.fromEntries(['a', 'b'].map((name) => [name, one(['x'.repeat(20_000)])]));
    const question = (required: string[]): QuestionSpec => ({
      ...form(one(['a'])),
      schema: { type: 'object', properties, required },
    });
    expect(faultOf(question(['a', 'b']))).toMatch(/the shortest answer has 40015 bytes/);
    expect(faultOf(question(['a']))).toBeNull();
  });

  it('if it has a field without a choice', () => {
    for (const field of [
      { type: 'string', enum: [] },
      { type: 'string', oneOf: [] },
      { type: 'array', items: { enum: [] } },
      { type: 'string', minLength: -1 },
    ])
      expect(formFieldSchema.safeParse(field).success).toBe(false);
  });
});

describe('a keyword that is not checked in answers is refused, and those that are checked are named', () => {
  const refused = (schema: object): string => {
    try {
      parse(askQuestionSchema, { message: 'Which?', schema }, 'body');
      return 'asked';
    } catch (error) {
      return error instanceof SignalboxError ? `${error.code}: ${error.message}` : String(error);
    }
  };
  const ofField = (field: object): string => refused({ type: 'object', properties: { a: field } });

  it.each([
    [{ type: 'string', pattern: '^v' }, 'pattern', 'minLength, maxLength, format'],
    [{ type: 'string', const: 'v' }, 'const', 'enum'],
    [{ type: 'integer', multipleOf: 5 }, 'multipleOf', 'minimum, maximum'],
    [{ type: 'number', exclusiveMaximum: 1 }, 'exclusiveMaximum', 'minimum, maximum'],
    [{ type: 'boolean', const: true }, 'const', 'type, default'],
    [{ type: 'array', items: { enum: ['a'] }, uniqueItems: true }, 'uniqueItems', 'minItems, maxItems'],
    [{ type: 'array', items: { enum: ['a'], not: { enum: ['a'] } } }, 'items.not', 'enum'],
    [{ type: 'string', oneOf: [{ const: 'a', title: 'A', not: {} }] }, 'oneOf[0].not', 'const'],
  ])('%j', (field, keyword, supported) => {
    expect(ofField(field)).toContain(
      `invalid_request: body: schema.properties.a.${keyword}: is not supported in `,
    );
    expect(ofField(field)).toContain(supported);
  });

  it('of the form itself, too', () => {
    const empty = { type: 'object', properties: {} };
    expect(refused({ ...empty, minProperties: 1 })).toMatch(
      /schema\.minProperties: is not supported .*required/,
    );
    expect(refused({ ...empty, additionalProperties: { type: 'string' } })).toMatch(/additionalProperties/);
  });

  it('but not one that only describes', () => {
    const field = {
      type: 'string',
      title: 'A',
      description: 'It',
      examples: ['a'],
      enum: ['a'],
      enumNames: ['A'],
    };
    const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', title: 'T' };
    expect(refused({ ...schema, properties: { a: field }, additionalProperties: false })).toBe('asked');
  });
});

describe('an answer that says two things', () => {
  const choice: QuestionSpec = { kind: 'choice', message: 'Delete?', options: [{ id: 'yes', label: 'Yes' }] };

  it.each<[string, QuestionSpec, Parameters<typeof checkedAnswer>[1]]>([
    ['declines and chooses', choice, { action: 'declined', option: 'yes' }],
    [
      'declines and allows',
      { ...choice, kind: 'permission', options: [...PERMISSION_OPTIONS] },
      { action: 'declined', option: 'allow_once' },
    ],
    ['declines with values', form({ type: 'boolean' }), { action: 'declined', content: { a: true } }],
  ])('%s, and is refused', (_what, question, answer) => {
    expect(() => checkedAnswer(question, answer)).toThrow(/declined.*leave out/);
  });

  it('declines with an option that rejects', () => {
    const permission: QuestionSpec = { ...choice, kind: 'permission', options: [...PERMISSION_OPTIONS] };
    const answer = checkedAnswer(permission, { action: 'declined', option: 'reject_once', comment: 'no' });
    expect(answer).toEqual({ action: 'declined', option: 'reject_once', comment: 'no' });
  });
});

describe('a form that an answer fits is asked', () => {
  it.each<[FormField, AnswerContent[string]]>([
    [{ type: 'string', minLength: 0, maxLength: 0 }, ''],
    [
      { type: 'string', format: 'email', minLength: 320, maxLength: 320 },
      `${'a'.repeat(64)}@${'b'.repeat(255)}`,
    ],
    [{ type: 'string', format: 'date-time', minLength: 24, maxLength: 24 }, '2030-01-31T12:00:00.123Z'],
    [{ type: 'string', format: 'uri', minLength: 1_000 }, `a:${'b'.repeat(998)}`],
    [{ ...one(['a', '2030-01-31']), format: 'date' }, '2030-01-31'],
    [{ type: 'integer', minimum: 1.2, maximum: 2 }, 2],
    [{ type: 'number', maximum: -3 }, -3],
    [{ type: 'array', items: { enum: ['a', 'b'] }, minItems: 2, maxItems: 2 }, ['a', 'b']],
    [{ type: 'boolean' }, false],
  ])('%j', (field, value) => {
    expect(faultOf(form(field, ['a']))).toBeNull();
    expect(fits(form(field), { a: value })).toBe(true);
  });

  it('is asked exactly if there is a value that is accepted', () => {
    const limit = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
    const choices = fc.array(fc.constantFrom('', 'a', 'ab', 'abc'), { minLength: 1, maxLength: 3 });
    const half = fc.option(
      fc.integer({ min: -4, max: 4 }).map((n) => n / 2),
      { nil: undefined },
    );
    const field: fc.Arbitrary<FormField> = fc.oneof(
      fc.record({
        type: fc.constant('string' as const),
        enum: fc.option(choices, { nil: undefined }),
        minLength: limit,
        maxLength: limit,
      }),
      fc.record({
        type: fc.constantFrom('number' as const, 'integer' as const),
        minimum: half,
        maximum: half,
      }),
      fc.record({
        type: fc.constant('array' as const),
        items: choices.map((all) => ({ enum: [...new Set(all)] })),
        minItems: limit,
        maxItems: limit,
      }),
    );
    const texts = ['', 'a', 'ab', 'abc', 'abcd'];
    const lists = [[], ['a'], ['ab'], ['abc'], ['']].flatMap((first) =>
      [[], ['a'], ['ab'], ['abc'], ['']].flatMap((second) =>
        [[], ['a'], ['ab'], ['abc'], ['']].map((third) => [...new Set([...first, ...second, ...third])]),
      ),
    );
    const numbers = Array.from({ length: 17 }, (_, at) => (at - 8) / 2);
    fc.assert(
      fc.property(field, (each) => {
        const values: AnswerContent[string][] = [...texts, ...lists, ...numbers];
        const hasAnswer = values.some((value) => fits(form(each), { a: value }));
        expect(faultOf(form(each, ['a'])) === null).toBe(hasAnswer);
      }),
    );
  });
});
