/** Days, weeks and months of a time zone. Moments are epoch milliseconds. */
import { momentOf, wallOf } from './time-zone.ts';

export const PERIODS = ['day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

export interface Span {
  readonly from: number;
  /** The first moment after it. */
  readonly until: number;
  /** Its first day, as in `2026-11-30`. */
  readonly day: string;
}

const DAY_MS = 86_400_000;
const THURSDAY = 4;
const MONDAY_BEFORE_EPOCH = THURSDAY - 1;

/** The period of the zone in which a moment lies. A week begins on Monday. A day has 23 to 25 hours. */
export function periodAt(moment: number, period: Period, zone: string): Span {
  const wall = Math.floor(wallOf(moment, zone) / DAY_MS) * DAY_MS;
  const begin = beginOf(wall, period);
  const next = nextOf(begin, period);
  return { from: momentOf(begin, zone), until: momentOf(next, zone), day: dayText(begin) };
}

/** The moment at which a day of the zone begins. @param day as in `2026-11-30` */
export function beginOfDay(day: string, zone: string): number {
  return momentOf(Date.parse(`${day}T00:00:00Z`), zone);
}

/** The moment at which a day of the zone is over. @param day as in `2026-11-30` */
export function endOfDay(day: string, zone: string): number {
  return momentOf(Date.parse(`${day}T00:00:00Z`) + DAY_MS, zone);
}

/** The day of the zone at a moment, as in `2026-11-30`. Fast for moments that are nearly in order. */
export function dayFinder(zone: string): (moment: number) => string {
  let span: Span = { from: 0, until: 0, day: '' };
  return (moment) => {
    if (moment < span.from || moment >= span.until) span = periodAt(moment, 'day', zone);
    return span.day;
  };
}

function beginOf(wall: number, period: Period): number {
  switch (period) {
    case 'day':
      return wall;
    case 'week': {
      const days = wall / DAY_MS + MONDAY_BEFORE_EPOCH;
      return wall - (days - Math.floor(days / 7) * 7) * DAY_MS;
    }
    case 'month': {
      const date = new Date(wall);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
  }
}

function nextOf(begin: number, period: Period): number {
  if (period !== 'month') return begin + (period === 'week' ? 7 : 1) * DAY_MS;
  const date = new Date(begin);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

const dayText = (wall: number): string => new Date(wall).toISOString().slice(0, 10);
