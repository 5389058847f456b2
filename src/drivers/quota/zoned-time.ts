/** Times of a wall clock in a time zone that a tool names, as epoch milliseconds. */
import { canonicalZone, momentOf, wallOf } from '../../base/time-zone.ts';

/** The name of a zone (IANA), or its distance from UTC in minutes. */
export type Zone = string | number;

export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Abbreviations that Intl does not know, or knows as a zone without daylight saving. Hours from UTC. */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  ...{ Z: 0, UTC: 0, GMT: 0, PST: -8, PDT: -7, MST: -7, MDT: -6, CST: -6, CDT: -5, EST: -5, EDT: -4 },
  ...{ BST: 1, WET: 0, WEST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3, IST: 5.5, JST: 9, KST: 9, AEST: 10 },
};

/** The zone with this name: `UTC`, `PDT`, `UTC+2`, `+05:30`, `Europe/Berlin`. Undefined if there is none. */
export function zoneOf(name: string): Zone | undefined {
  const upper = name.toUpperCase();
  if (Object.hasOwn(ABBREVIATIONS, upper)) return (ABBREVIATIONS[upper] ?? 0) * 60;
  const offset = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?$/i.exec(name);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
    return offset[1] === '-' ? -minutes : minutes;
  }
  return name.includes('/') ? canonicalZone(name) : undefined;
}

export function wallTimeOf(at: number, zone: Zone): WallTime {
  const wall = new Date(typeof zone === 'number' ? at + zone * 60_000 : wallOf(at, zone));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
  };
}

/**
 * A time that daylight saving skips is the first moment after the gap; one that comes twice is the first. A day or month
 * beyond its end is carried over: day 32 of January is the first of February.
 */
export function epochOf({ year, month, day, hour, minute, second }: WallTime, zone: Zone): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  return typeof zone === 'number' ? wall - zone * 60_000 : momentOf(wall, zone);
}
