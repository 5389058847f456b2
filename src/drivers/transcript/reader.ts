/**
 * What the readers of all formats share. A reader makes entries of one line, and knows nothing of the lines before: so a
 * transcript can be read from any place, and is the same after a restart. What a line says is not to be believed, and can be large.
 */
import { z } from 'zod';
import { cutText } from '../../base/text/cut-text.ts';
import type { TranscriptContent } from '../../contracts/transcript/schemas.ts';

/** @returns the entries of an event; null if it is of a kind that the reader does not know */
export type TranscriptReader = (event: object) => readonly TranscriptContent[] | null;

/** Nothing that a reader of the transcript wants to see. */
export const NOTHING: readonly TranscriptContent[] = [];

/** Characters of what an agent says, of the input and the output of a tool, and of everything else. */
const MAX_TEXT = 100_000;
const MAX_DETAIL = 20_000;
const MAX_SHORT = 1_000;
const MAX_NAME = 200;
/** Items of a list that are shown. */
export const MAX_ITEMS = 100;

/** Fields as agents write them: one of another type counts as missing. */
export const text = z.string().optional().catch(undefined);
export const flag = z.boolean().optional().catch(undefined);
export const number = z.number().min(0).optional().catch(undefined);
export const unknown = z.unknown().optional();
export const items = z
  .array(z.unknown())
  .transform((all) => all.slice(0, MAX_ITEMS))
  .optional()
  .catch(undefined);
export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.object(shape).optional().catch(undefined);
}

/** Collects the texts of one entry, each up to its limit, and counts what is left out. */
export class Texts {
  #cut = 0;

  said(value: string | undefined): string {
    return this.#shown(value ?? '', MAX_TEXT);
  }

  detail(value: unknown): string | undefined {
    const shown = textOf(value);
    return shown === undefined || shown === '' ? undefined : this.#shown(shown, MAX_DETAIL);
  }

  short(value: unknown): string | undefined {
    const shown = textOf(value)?.trim();
    return shown === undefined || shown === '' ? undefined : this.#shown(shown, MAX_SHORT);
  }

  /** What was left out so far. */
  get rest(): { cut?: number } {
    return this.#cut === 0 ? {} : { cut: this.#cut };
  }

  #shown(value: string, max: number): string {
    const shown = cutText(value, max);
    this.#cut += value.length - shown.length;
    return shown;
  }
}

/** A name: one that is longer is none. */
export function nameOf(value: string | undefined): string | undefined {
  return value === undefined || value === '' || value.length > MAX_NAME ? undefined : value;
}

/** The id of a call may be longer than a name that people see. */
export function callOf(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : cutText(value, 500);
}

/** A text as it is; anything else as JSON. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? undefined;
  } catch {
    return '(nested too deeply to be shown)';
  }
}

/** The time that an agent names, as text or in milliseconds; nothing if it is none. */
export function timeIn(value: unknown): { time?: string } {
  if (typeof value !== 'string' && typeof value !== 'number') return {};
  if (typeof value === 'string' && !/^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:\d\d)$/.test(value))
    return {};
  const time = new Date(value);
  const year = time.getUTCFullYear();
  return year >= 2_000 && year < 3_000 ? { time: time.toISOString() } : {};
}

/** A count of tokens; nothing if it is none. */
export function countOf(...values: readonly (number | undefined)[]): number | undefined {
  if (values[0] === undefined) return undefined;
  const sum = Math.round(values.reduce<number>((total, value) => total + (value ?? 0), 0));
  return Number.isSafeInteger(sum) ? sum : undefined;
}
