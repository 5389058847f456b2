/** Checks input against its schema; the error lists faults with their paths. */
import type { z } from 'zod';
import { inexactNumberIn } from '../base/exact-json.ts';
import type { FieldError } from '../contracts/api/system-answers.ts';
import { type ErrorCode, SignalboxError } from '../contracts/errors.ts';
import { expectationOf, UNKNOWN_FIELDS } from '../contracts/expectation.ts';

/** Levels of lists and objects: code that walks a value recursively relies on a limit. */
const MAX_DEPTH = 64;
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
  const list = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  throw new SignalboxError(code, `${part}: ${list.join('; ')}`, { details: { errors } });
}

/**
 * JSON that is accepted as input: not nested too deeply, and with numbers that are all kept exactly.
 * @param part what is parsed, for the message. @throws SignalboxError `invalid_request`
 */
export function parseJson(text: string, part: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignalboxError('invalid_request', `${part}: not JSON: ${why}`, { cause });
  }
  const fault = faultOf(text, value, part);
  if (fault) throw fault;
  return value;
}

/** Why valid JSON is not accepted as input: it is nested too deeply, or a number in it would be changed; null if it is. */
export function faultOf(json: string, value: unknown, part: string): SignalboxError | null {
  if (isDeeperThan(MAX_DEPTH, value)) {
    return new SignalboxError('invalid_request', `${part}: nested deeper than ${MAX_DEPTH} levels`);
  }
  const found = inexactNumberIn(json);
  if (found === null) return null;
  const { path, written } = found;
  const message = `the number ${written} cannot be kept exactly: send it as text, or with at most 15 digits`;
  return new SignalboxError('invalid_request', `${part}: ${path === '' ? '' : `${path}: `}${message}`, {
    details: { errors: [{ path, message }] },
  });
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function faultsOf(
  issue: z.core.$ZodIssue,
  unknownField?: (name: string) => string | undefined,
): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathOf([...issue.path, key]),
      message: (issue.path.length === 0 ? unknownField?.(key) : undefined) ?? 'is not a known field',
    }));
  }
  return [{ path: pathOf(issue.path), message: messageOf(issue) }];
}

/** zod reports only that no branch of a union matches; the branches say what they expect. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue.message;
  const branches = issue.errors.flatMap(([first]) => (first ? [first.message] : []));
  return [...new Set(branches)].join(', or ');
}

/** The message of a fault whose schema has none of its own. */
function messageFor(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is missing' : expectationOf(issue);
}

function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join('');
}
