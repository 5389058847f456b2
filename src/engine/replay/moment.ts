/** Moments of a log: a sequence, or a time. */
import { z } from 'zod';
import { SignalboxError } from '../../contracts/errors.ts';

export type Moment =
  /** After the event with this sequence. */
  | { readonly kind: 'sequence'; readonly sequence: number }
  /** Epoch milliseconds: after the last event that is not later. */
  | { readonly kind: 'time'; readonly time: number };

const SECOND = 1_000;
const UNITS: Readonly<Record<string, number>> = {
  s: SECOND,
  m: 60 * SECOND,
  h: 3_600 * SECOND,
  d: 86_400 * SECOND,
  w: 604_800 * SECOND,
};

const AGO = /^(\d+(?:\.\d+)?) *(s|m|h|d|w|second|minute|hour|day|week)s?(?: +ago)?$/;
const dateTime = z.iso.datetime({ offset: true });

/**
 * Reads `1234` (a sequence), `2025-01-31T14:03:00Z` or `10m ago`.
 * @param now epoch milliseconds
 * @throws SignalboxError `invalid_request`
 */
export function parseMoment(text: string, now: number): Moment {
  const moment = momentOf(text, now);
  if (moment !== null) return moment;
  throw new SignalboxError(
    'invalid_request',
    `${JSON.stringify(text.slice(0, 80))} is not a moment: give a sequence (1234), a time with its zone (2025-01-31T14:03:00Z), or how long ago ("10m ago", with s, m, h, d or w)`,
  );
}

/** The same; null if the text is none of these. */
export function momentOf(text: string, now: number): Moment | null {
  const given = text.trim();
  if (/^\d{1,15}$/.test(given)) return { kind: 'sequence', sequence: Number(given) };
  const [, count, unit = ''] = AGO.exec(given) ?? [];
  if (count !== undefined) {
    const length = UNITS[unit.slice(0, 1)] ?? SECOND;
    return { kind: 'time', time: Math.floor(now - Number(count) * length) };
  }
  const time = dateTime.safeParse(given);
  return time.success ? { kind: 'time', time: Date.parse(time.data) } : null;
}

/** As in `event 12`, `2025-01-31T14:03:00.000Z`. */
export function momentText(moment: Moment): string {
  return moment.kind === 'sequence' ? `event ${moment.sequence}` : new Date(moment.time).toISOString();
}
