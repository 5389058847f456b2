/**
 * Makes an answer fit into the context of a model. Clients stop at 25,000 tokens, and one output can have ten times as many:
 * long texts and lists are cut, and the answer says which, how long they are, and how to read on.
 */
import { cutText } from '../../base/text/cut-text.ts';

/** What was left out of an answer. */
export interface Cut {
  /** As in `outputs[0].content`. */
  readonly path: string;
  /** Characters of a text, or items of a list or an object. */
  readonly size: number;
  /** How many of them are in the answer: read on from here. */
  readonly shown: number;
}

export interface Fitted {
  readonly value: object;
  /** The largest first. */
  readonly cuts: readonly Cut[];
}

/** Characters of a path: of one that is listed, and of one that is asked for. */
export const MAX_PATH = 500;
/** Bytes of a path in an answer. What is cut further down counts as a cut of what is above it. */
const MAX_PATH_BYTES = 1_000;
/** Cuts that are listed. */
const MAX_CUTS = 20;
/** Bytes of all cuts that are listed, in each copy of the answer. */
const MAX_CUTS_BYTES = 3_000;
/** Texts of this length are cut only if lists have to be cut, too. */
const SHORT_TEXT = 200;
/** More items never fit. */
const MAX_ITEMS = 2_000;

/** @param bytesOf the size of an answer with this value. @returns the value itself if it is small enough */
export function fitted(value: object, maxBytes: number, bytesOf: (value: object) => number): Fitted {
  if (bytesOf(value) <= maxBytes) return { value, cuts: [] };
  const items = MAX_ITEMS;
  // Measured on a small copy, and roughly: what an agent has written must not keep others waiting.
  const small = cutValue(value, { texts: maxBytes, items, cut: roughly }).value;
  const fits = (texts: number, count: number): boolean =>
    bytesOf({ ...cutValue(small, { texts, items: count, cut: roughly }).value, truncated: MARGIN }) <=
    maxBytes;
  const shortTexts = fits(SHORT_TEXT, items);
  const limits = shortTexts
    ? { texts: largest(SHORT_TEXT, maxBytes, (texts) => fits(texts, items)), items }
    : { texts: SHORT_TEXT, items: largest(0, MAX_ITEMS, (count) => fits(SHORT_TEXT, count)) };
  const { value: cut, cuts } = cutValue(value, { ...limits, cut: cutText });
  return { value: cut, cuts: listed(cuts) };
}

/** The largest of them, as many as there is room for: at least one. */
function listed(cuts: readonly Cut[]): Cut[] {
  let room = MAX_CUTS_BYTES;
  const largestFirst = cuts.toSorted((a, b) => b.size - a.size).slice(0, MAX_CUTS);
  return largestFirst.filter((cut) => {
    room -= bytesInText(cut) + 1;
    return room >= 0;
  });
}

/** Bytes in the text of an answer, which is JSON in JSON. */
function bytesInText(value: object | string): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(value)));
}

/** Stands for the list of cuts while the answer is measured. */
const MARGIN = 'x'.repeat(MAX_CUTS_BYTES);

/** The largest number for which it fits, found by halving. */
function largest(low: number, high: number, fits: (limit: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if (fits(middle)) from = middle;
    else to = middle - 1;
  }
  return from;
}

interface Limits {
  /** Characters of each text. */
  readonly texts: number;
  /** Items of each list or object, below the answer itself. */
  readonly items: number;
  readonly cut: (text: string, maxLength: number) => string;
}

/** At most a character longer than what is cut properly. */
const roughly = (text: string, maxLength: number): string => text.slice(0, maxLength);

function cutValue(value: object, limits: Limits): { value: Record<string, unknown>; cuts: Cut[] } {
  const cuts: Cut[] = [];
  const fields = Object.entries(value).map(([name, each]) => [name, walk(each, name, limits, cuts)]);
  return { value: Object.fromEntries(fields), cuts };
}

function walk(value: unknown, path: string, limits: Limits, cuts: Cut[]): unknown {
  if (typeof value === 'string') {
    const shown = limits.cut(value, limits.texts);
    if (shown.length < value.length) cuts.push({ path, size: value.length, shown: shown.length });
    return shown;
  }
  if (typeof value !== 'object' || value === null) return value;
  const isList = Array.isArray(value);
  const all: [string | number, unknown][] = isList ? [...value.entries()] : Object.entries(value);
  const kept: [string, unknown][] = [];
  for (const [name, each] of all.slice(0, limits.items)) {
    const inner: Cut[] = [];
    const shown = walk(each, isList ? `${path}[${name}]` : `${path}.${name}`, limits, inner);
    // It is read on from here.
    if (inner.some((cut) => !isListable(cut.path))) break;
    cuts.push(...inner);
    kept.push([String(name), shown]);
  }
  if (kept.length < all.length) cuts.push({ path, size: all.length, shown: kept.length });
  return isList ? kept.map(([, each]) => each) : Object.fromEntries(kept);
}

function isListable(path: string): boolean {
  return path.length <= MAX_PATH && bytesInText(path) <= MAX_PATH_BYTES;
}

/** The value at a path such as `outputs[0].content`; undefined if there is none. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.replaceAll(/\[(\d+)\]/g, '.$1').split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.entries(found).find(([each]) => each === name)?.[1];
  }
  return found;
}

export interface Part {
  readonly path: string;
  /** Characters of the text, or items of the list or object. */
  readonly size: number;
  readonly offset: number;
  /** Where to read on; null at the end. */
  readonly next_offset: number | null;
  readonly part: unknown;
}

/** As much of the value at a path, from an offset on, as fits. @returns null if there is nothing at the path */
export function partOf(
  value: object,
  path: string,
  offset: number,
  fits: (part: object) => boolean,
): Part | null {
  const found = valueAt(value, path);
  if (found === undefined) return null;
  const whole = typeof found === 'string' ? found : listOf(found);
  if (whole === null) return { path, size: 1, offset: 0, next_offset: null, part: found };
  const size = whole.length;
  const upTo = (count: number): Part => {
    const rest = whole.slice(offset);
    const part = typeof rest === 'string' ? cutText(rest, count) : rest.slice(0, count);
    const end = offset + part.length;
    return { path, size, offset, next_offset: end < size ? end : null, part };
  };
  // One item of a list may be too large for itself: it has a path of its own.
  return upTo(
    Math.max(
      largest(0, Math.max(size - offset, 0), (count) => fits(upTo(count))),
      1,
    ),
  );
}

function listOf(value: unknown): readonly unknown[] | null {
  if (typeof value !== 'object' || value === null) return null;
  return Array.isArray(value) ? value : Object.entries(value);
}
