/** Sample output of a program, generated from the paths and conditions of its driver. */
import {
  holds,
  type JsonPath,
  parseCondition,
  parsePath,
  type Step,
  type Term,
} from '../../../drivers/declared/json-path.ts';
import type { OutputSpec, Places } from '../../../drivers/declared/spec.ts';

export interface Sample {
  readonly text: string;
  readonly session: string;
  readonly tokens: number;
}

export const SAMPLE: Sample = { text: 'the answer', session: 'session-0123456789', tokens: 7 };

/** The output of a successful run. */
export function successOutput(output: OutputSpec, sample: Sample): string {
  return outputWith(output, output.result?.[0], [
    [output.session, sample.session],
    [output.text, sample.text],
    [output.usage?.input_tokens, sample.tokens],
  ]);
}

/** The output of a failed run; null for a driver that reports no failures. */
export function failureOutput(output: OutputSpec, error: string, session: string): string | null {
  const [condition] = output.failed ?? [];
  if (condition === undefined || output.format === 'text') return null;
  return outputWith(output, condition, [
    [output.session, session],
    [output.error, error],
  ]);
}

type Entry = readonly [Places | undefined, string | number];

function outputWith(output: OutputSpec, condition: string | undefined, entries: readonly Entry[]): string {
  if (output.format === 'text')
    return `${String(entries.find(([places]) => places === output.text)?.[1] ?? '')}\n`;
  const events = entries.flatMap(([places, value]) => {
    const first = Array.isArray(places) ? placeFor(places, condition) : places;
    if (first === undefined) return [];
    const { path, when } = typeof first === 'string' ? { path: first, when: undefined } : first;
    return [{ path: parsePath(path), when, value }];
  });
  if (output.format === 'json') {
    const document: Box = {};
    for (const { path, value } of events) put(document, path, value);
    satisfy(document, condition);
    for (const { when } of events) satisfy(document, when);
    return `${JSON.stringify(document)}\n`;
  }
  const last: Box = {};
  satisfy(last, condition);
  const lines: Box[] = [];
  for (const { path, when, value } of events) {
    const isInLast = when !== undefined && holds(last, parseCondition(when));
    const event: Box = isInLast ? last : {};
    put(event, path, value);
    satisfy(event, when);
    if (!isInLast) lines.push(event);
  }
  return [...lines, last].map((event) => `${JSON.stringify(event)}\n`).join('');
}

type Place = Extract<Places, readonly unknown[]>[number];

/** Of several places the one that goes with the condition: a driver may know its program in two forms. */
function placeFor(places: readonly Place[], condition: string | undefined): Place | undefined {
  const root = (path: string): string => path.split(/[.[]/)[0] ?? '';
  const roots = (condition ?? '')
    .split(' & ')
    .filter((term) => !term.startsWith('!'))
    .map(root);
  const pathOf = (place: Place): string => (typeof place === 'string' ? place : place.path);
  return places.find((place) => roots.includes(root(pathOf(place)))) ?? places[0];
}

interface Box {
  [key: string]: unknown;
}

function satisfy(box: Box, condition: string | undefined): void {
  if (condition === undefined) return;
  for (const term of parseCondition(condition)) if (!holds(box, [term])) satisfyTerm(box, term);
}

/** Absent fields need nothing: a field exists only if another term needs it. */
function satisfyTerm(box: Box, { path, test, words }: Term): void {
  if (test === 'is') put(box, path, wordOf(words[0] ?? ''));
  if (test === 'exists') put(box, path, 1);
}

function wordOf(word: string): string | boolean {
  return word === 'true' ? true : word === 'false' ? false : word;
}

function put(box: Box, path: JsonPath, value: unknown): void {
  const [step, ...rest] = path;
  if (step?.kind !== 'key') return;
  box[step.name] = valueFor(box[step.name], rest, value);
}

/** @param there the present value */
function valueFor(there: unknown, path: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (!step) return value;
  if (step.kind === 'key') {
    const box: Box = typeof there === 'object' && there !== null ? { ...there } : {};
    put(box, path, value);
    return box;
  }
  const item = valueFor(undefined, rest, value);
  if (step.kind === 'some' && typeof item === 'object' && item !== null && !holds(item, [step.term]))
    satisfyTerm(item as Box, step.term);
  return [item];
}
