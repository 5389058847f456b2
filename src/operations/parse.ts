/** Checks input against its schema; the error lists faults with their paths. */
import type { z } from 'zod';
import { type ExactJson, faultText, pathText, readExactJson, readExactValue } from '../base/exact-json.ts';
import { utf8Text } from '../base/text/utf8.ts';
import type { FieldError } from '../contracts/api/system-answers.ts';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import { expectationOf, UNKNOWN_FIELDS } from '../contracts/expectation.ts';

/** The most faults that an error lists. */
const MAX_FAULTS = 20;

/**
 * @param part what is parsed, for the message: `body`, `query`
 * @param code of the error
 * @throws SignalboxError with `errors` in its details
 */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
  code: ErrorCode = 'invalid_request',
): z.output<Schema> {
  const result = schema.safeParse(value, { error: messageFor });
  if (result.success) return result.data;
  const unknownField = UNKNOWN_FIELDS.get(schema)?.messageOf;
  const errors = result.error.issues.flatMap((issue) => faultsOf(issue, unknownField)).slice(0, MAX_FAULTS);
  throw new SignalboxError(code, `${part}: ${errors.map(faultText).join('; ')}`, { details: { errors } });
}

/** The same for a query. @throws SignalboxError `invalid_request` */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const repeated = Object.entries(query ?? {}).filter(([, value]) => Array.isArray(value));
  if (repeated.length === 0) return parse(schema, query, 'query');
  const errors = repeated.map(([name]) => ({
    path: pathText([name]),
    message: 'is given twice: send it once',
  }));
  const list = errors.map(faultText).slice(0, MAX_FAULTS);
  throw new SignalboxError('invalid_request', `query: ${list.join('; ')}`, { details: { errors } });
}

/**
 * JSON that is accepted as input: UTF-8 in which nothing is lost, and that is not nested too deeply (exact-json.ts).
 * @param part what is read, for the message. @throws SignalboxError `invalid_request`
 */
export function parseJson(json: Uint8Array, part: string): unknown {
  return accepted(readExactJson(textOf(json, part)), part);
}

/** A copy of the JSON object that a program hands over, under the same rules. @throws SignalboxError `invalid_request` */
export function parseObject(given: unknown, part: string): object {
  const value = accepted(readExactValue(given), part);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new SignalboxError('invalid_request', `${part}: expected an object`);
}

/** @throws SignalboxError `invalid_request` */
function textOf(bytes: Uint8Array, part: string): string {
  const text = utf8Text(bytes);
  if (text !== null) return text;
  throw new SignalboxError('invalid_request', `${part}: not UTF-8`);
}

function accepted(read: ExactJson, part: string): unknown {
  if (read.ok) return read.value;
  const { fault } = read;
  throw new SignalboxError('invalid_request', `${part}: ${faultText(fault)}`, {
    details: fault.path === '' ? {} : { errors: [fault] },
  });
}

function faultsOf(
  issue: z.core.$ZodIssue,
  unknownField?: (name: string) => string | undefined,
): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: (issue.path.length === 0 ? unknownField?.(key) : undefined) ?? issue.message,
    }));
  }
  return [{ path: pathText(issue.path), message: messageOf(issue) }];
}

/** zod reports only that no branch of a union matches; the branches say what they expect. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue.message;
  const branches = issue.errors.flatMap(([first]) => (first ? [first.message] : []));
  return [...new Set(branches)].join(', or ');
}

/** The message of a fault whose schema has none of its own. */
function messageFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return 'is not a known field';
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : expectationOf(issue);
}
