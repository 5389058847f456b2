/** Wall clocks of time zones. */
import { Lru } from './lru.ts';

const DAY_MS = 86_400_000;

/** There are some hundred zones, but each name may be written in many ways. */
const MAX_FORMATS = 500;
const formats = new Lru<string, Intl.DateTimeFormat>(MAX_FORMATS);

/** Whether the runtime knows a time zone by this name. */
export function isZone(name: string): boolean {
  return canonicalZone(name) !== undefined;
}

/** The zone's own spelling of a name, as in `Europe/Berlin`; undefined if there is no such zone. */
export function canonicalZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/**
 * The time that a wall clock in the zone shows, as if it were UTC. Times are epoch milliseconds.
 * @param zone a name that {@link isZone} knows
 */
export function wallOf(moment: number, zone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(moment)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((moment % 1_000) + 1_000) % 1_000);
}

/** The first moment at which the wall clock of the zone shows this time, or the end of the gap that leaves it out. */
export function momentOf(wall: number, zone: string): number {
  const offsetAt = (moment: number): number => wallOf(moment, zone) - moment;
  const before = offsetAt(wall - DAY_MS);
  const after = offsetAt(wall + DAY_MS);
  const candidates = [wall - before, wall - after].sort((a, b) => a - b);
  const found = candidates.find((moment) => wallOf(moment, zone) === wall);
  if (found !== undefined) return found;
  let [low = wall, high = wall] = candidates;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}
