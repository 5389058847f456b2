/** Times of a wall clock in a time zone, as epoch milliseconds. */

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
  return name.includes('/') && isZone(name) ? name : undefined;
}

/** Whether Intl knows a zone of this name. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export function wallTimeOf(at: number, zone: Zone): WallTime {
  if (typeof zone === 'number') return utcParts(at + zone * 60_000);
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
    ...({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: keyof WallTime): number => parts.get(type) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

/** A time that daylight saving skips is moved by the hour that is skipped; one that comes twice is the first. */
export function epochOf(wall: WallTime, zone: Zone): number {
  const asUtc = utcOf(wall);
  if (typeof zone === 'number') return asUtc - zone * 60_000;
  const offsetAt = (at: number): number => utcOf(wallTimeOf(at, zone)) - at;
  const before = asUtc - offsetAt(asUtc - 86_400_000);
  if (utcOf(wallTimeOf(before, zone)) === asUtc) return before;
  const after = asUtc - offsetAt(asUtc + 86_400_000);
  return utcOf(wallTimeOf(after, zone)) === asUtc ? after : before;
}

/** A day or month beyond its end is carried over: day 32 of January is the first of February. */
function utcOf({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function utcParts(at: number): WallTime {
  const date = new Date(at);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}
