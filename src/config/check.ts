/** Checks data against a schema and explains what is wrong. */
import { z } from 'zod';
import { expectationOf, JSON_TYPES } from '../contracts/expectation.ts';
import { closest } from './closest.ts';
import type { ConfigProblem, Path } from './issues.ts';

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const TYPES = { ...JSON_TYPES, object: 'a map of keys', record: 'a map of keys' };

/** Checks a value; the messages of problems say what is expected and what was found, but show no secret. */
export function checkValue<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  // zod reports the unknown keys of an object, but not the known ones: collected here.
  const knownKeys = new Map<string, readonly string[]>();
  const result = schema.safeParse(value, {
    reportInput: true,
    error: (issue) => {
      if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject) {
        knownKeys.set(JSON.stringify(issue.path ?? []), Object.keys(issue.inst.shape));
      }
      return expectationOf(issue, TYPES);
    },
  });
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code !== 'unrecognized_keys') return [{ path, message: describe(issue, path) }];
    const known = knownKeys.get(JSON.stringify(issue.path)) ?? [];
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
  });
  return { ok: false, problems: distinct(problems) };
}

/** A value may fail several checks with the same message: 0.5 is neither whole nor at least 1. */
function distinct(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = closest(key, known);
  return meant === undefined
    ? `unknown key; known here: ${known.join(', ')}`
    : `unknown key; did you mean "${meant}"?`;
}

function describe(issue: z.core.$ZodIssue, path: Path): string {
  const suggestion = suggest(foundIn(issue), candidatesOf(issue));
  // A custom message is a whole sentence already.
  if (issue.code === 'custom') return `${issue.message}${suggestion}`;
  const message = (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;
  return `${message}, ${found(issue, path)}${suggestion}`;
}

/** The value at the issue's path. If the discriminator of a union is wrong, the issue holds the whole object. */
function foundIn(issue: z.core.$ZodIssue): unknown {
  const value: unknown = issue.input;
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return value;
  return typeof value === 'object' && value !== null ? Reflect.get(value, issue.discriminator) : undefined;
}

function candidatesOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === 'invalid_value') return issue.values;
  if (issue.code === 'invalid_union') return 'options' in issue ? (issue.options ?? []) : [];
  const { candidates } = issue.code === 'custom' ? (issue.params ?? {}) : {};
  return Array.isArray(candidates) ? candidates : [];
}

function suggest(value: unknown, candidates: readonly unknown[]): string {
  if (typeof value !== 'string') return '';
  const meant = closest(value, candidates.map(String));
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function found(issue: z.core.$ZodIssue, path: Path): string {
  const value = foundIn(issue);
  if (value === undefined) return 'but it is missing';
  const isSecret = mayHoldSecret(issue, path);
  const isTextWanted = issue.code === 'invalid_type' && issue.expected === 'string';
  return `got ${isSecret ? hide(value) : show(value)}${isTextWanted ? quotesHint(value, isSecret) : ''}`;
}

function quotesHint(value: unknown, isSecret: boolean): string {
  if (typeof value === 'number' || typeof value === 'boolean') return ': put quotes around it';
  const placeholder = isSecret ? undefined : soleKey(value);
  return placeholder === undefined ? '' : `: put quotes around {${placeholder}}`;
}

/** YAML reads an unquoted {prompt} as a map with the one key `prompt` and no value. */
function soleKey(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const [entry, ...more] = Object.entries(value);
  return entry && more.length === 0 && entry[1] === null ? entry[0] : undefined;
}

/** The value of an agent's variable, and a URL with a password, must not be logged. */
function mayHoldSecret(issue: z.core.$ZodIssue, path: Path): boolean {
  if (issue.code === 'invalid_key') return false;
  return path[2] === 'env' || String(path.at(-1)).endsWith('url');
}

function hide(value: unknown): string {
  return typeof value === 'string' ? 'a text that is not shown here' : kindOf(value);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return typeof value === 'object' ? kindOf(value) : String(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}
