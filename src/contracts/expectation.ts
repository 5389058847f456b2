/** What a schema expects, in the words of all messages: a fault never shows the wording of the schema library. */
import { z } from 'zod';

/** How the types of values are named, such as `text` for a string. */
export type TypeNames = Readonly<Record<string, string>>;

export const JSON_TYPES: TypeNames = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** What a schema says about a field that it does not have, if there is more to say than that it is unknown. */
export const UNKNOWN_FIELDS = z.registry<{ readonly messageOf: (name: string) => string | undefined }>();

/** The message of a fault whose schema has none of its own; undefined for unknown fields, which the caller names. */
export function expectationOf(issue: z.core.$ZodRawIssue, types: TypeNames = JSON_TYPES): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${types[issue.expected] ?? 'another value'}`;
    case 'too_small':
      return `expected ${amountOf(types, issue.origin, issue.inclusive === false ? 'above' : 'at least', issue.minimum)}`;
    case 'too_big':
      return `expected ${amountOf(types, issue.origin, issue.inclusive === false ? 'below' : 'at most', issue.maximum)}`;
    case 'invalid_value':
      return `expected ${alternatives(issue.values)}`;
    case 'invalid_format':
      return formatText(issue);
    case 'not_multiple_of':
      return issue.divisor === 1 ? 'expected a whole number' : `expected a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return `expected other names: ${issue.issues[0]?.message ?? 'one is not allowed'}`;
    case 'invalid_union':
      return Array.isArray(issue.options)
        ? `expected ${alternatives(issue.options)}`
        : 'expected another value';
    case 'invalid_element':
    case 'custom':
      return 'expected another value';
    default:
      return undefined;
  }
}

/** As in `low, normal or high`. */
export function alternatives(values: readonly unknown[]): string {
  return values
    .map(String)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
}

/** As in `a number of at least 1`, `text of at most 200 characters`, `a list of at least 1`. */
function amountOf(types: TypeNames, origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `text of ${bound} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  const of = bound.startsWith('at ') ? 'of ' : '';
  return `${types[origin] ?? 'a value'} ${of}${bound} ${limit}`;
}

const LOCAL_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

function formatText({
  format,
  input,
  pattern,
}: z.core.$ZodRawIssue & { readonly code: 'invalid_format' }): string {
  switch (format) {
    case 'datetime':
      return typeof input === 'string' && LOCAL_TIME.test(input)
        ? 'expected a time with its zone: add "Z" for UTC, or an offset such as "+01:00"'
        : 'expected a time such as 2030-01-31T12:00:00Z';
    case 'url':
      return 'expected an address such as https://example.org/';
    case 'base64':
      return 'expected base64';
    default:
      return pattern === undefined
        ? `expected text in the form "${format}"`
        : `expected text that matches ${pattern}`;
  }
}
