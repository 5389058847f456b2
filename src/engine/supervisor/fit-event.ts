/**
 * Makes an event of the supervisor fit into a message of the log: cuts its longest texts, with a mark at the cut. What
 * the supervisor has to record, such as the end of an attempt, must never be refused for its size.
 */
import { type DomainEvent, declarationOf } from '../../contracts/events/events.ts';

const MARK = / … \[cut by Signalbox: the text has (\d+) bytes\]$/;
/** Shorter texts are ids, hashes and names: they are never cut. */
const MIN_BYTES = 400;
/** The last cut is to a part of the text, so a few rounds reach any limit that the texts allow. */
const MAX_ROUNDS = 200;

/** @param maxBytes of the event as JSON. @returns the event unchanged if it fits, or if there is nothing to cut */
export function fitEvent(event: DomainEvent, maxBytes: number): DomainEvent {
  let fitted: unknown = event;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const excess = jsonBytes(fitted) - maxBytes;
    if (excess <= 0) break;
    const longest = longestText(fitted);
    if (longest === null) return event;
    const bytes = jsonBytes(longest);
    const target = Math.max(MIN_BYTES / 2, bytes - excess - MIN_BYTES / 2, Math.floor(bytes / 4));
    fitted = replaceText(fitted, longest, cutToJsonBytes(longest, target));
  }
  return declarationOf(event.type).schema.parse(fitted);
}

/**
 * The beginning of a text, with a mark that says how much is missing.
 * @param maxBytes of the result as JSON, in UTF-8
 */
export function cutToJsonBytes(text: string, maxBytes: number): string {
  const bytes = jsonBytes(text);
  if (bytes <= maxBytes) return text;
  // A text that was cut before keeps its first size.
  const [before = '', size = Buffer.byteLength(text)] = MARK.exec(text) ?? [];
  const whole = text.slice(0, text.length - before.length);
  const mark = ` … [cut by Signalbox: the text has ${size} bytes]`;
  let [low, high] = [0, whole.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (jsonBytes(whole.slice(0, middle) + mark) <= maxBytes) low = middle;
    else high = middle - 1;
  }
  return whole.slice(0, low).replace(/[\uD800-\uDBFF]$/, '') + mark;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function longestText(value: unknown): string | null {
  let longest: string | null = null;
  let size = MIN_BYTES;
  for (const text of textsIn(value)) {
    const bytes = jsonBytes(text);
    if (bytes <= size) continue;
    longest = text;
    size = bytes;
  }
  return longest;
}

function* textsIn(value: unknown): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) yield* textsIn(part);
  }
}

function replaceText(value: unknown, text: string, by: string): unknown {
  if (value === text) return by;
  if (Array.isArray(value)) return value.map((part) => replaceText(part, text, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, replaceText(part, text, by)]));
}
