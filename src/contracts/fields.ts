/** Schemas of single fields that several contracts have. */
import { z } from 'zod';
import { wholeNumber } from '../base/plain-number.ts';
import { isZone } from '../base/time-zone.ts';
import { ID_PATTERN } from './ids.ts';

/** The id of a task, an agent, a project, a type … */
export const id = z.string().regex(ID_PATTERN, 'use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"');
/** A time in an answer: RFC 3339, in UTC. */
export const time = z.iso.datetime();
export const count = z.int().min(0);
/** The IANA name of a time zone. */
export const zone = z
  .string()
  .max(100)
  .refine(isZone, {
    error: ({ input }) =>
      `expected a time zone by its IANA name, such as Europe/Berlin, got ${JSON.stringify(input)}`,
  });
/** A whole number in a query or a header, where everything is text: digits only. */
export function digits(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const error = `expected a whole number ${range}, in digits`;
  const read = (text: unknown): unknown => (typeof text === 'string' ? (wholeNumber(text) ?? text) : text);
  return z.preprocess(read, z.int(error).min(min, error).max(max, error));
}
/** Of the title of a task or an output. */
export const MAX_TITLE_LENGTH = 500;
export const title = z.string().trim().min(1).max(MAX_TITLE_LENGTH);
