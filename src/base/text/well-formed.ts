/** Texts that UTF-8 can hold: JavaScript also has halves of surrogate pairs. */

/** With the flag `u`, pairs are one character and do not match. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is wrong with a text that UTF-8 cannot hold. */
export const BROKEN_TEXT =
  'the text has half of a surrogate pair (such as "\\ud800"), which UTF-8 cannot hold: send whole characters';

/** Whether the text holds half of a surrogate pair, which UTF-8 cannot. */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

/** The text with U+FFFD for each half of a surrogate pair, as UTF-8 would have it. */
export function wellFormed(text: string): string {
  return hasLoneSurrogate(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text;
}

/** The value with all its texts and keys well-formed. */
export function wellFormedValue(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormedValue);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [wellFormed(key), wellFormedValue(each)]),
  );
}
