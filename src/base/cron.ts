/**
 * Cron patterns of five fields in an IANA zone. As in Vixie cron, a day matches if its day of month or its day of week
 * does, unless one of the two is `*`.
 *
 * Daylight saving: a pattern with fixed hours names times of the wall clock. One that does not exist stands for the first
 * moment after the gap, and one that exists twice for its first occurrence, so each occurs once. A pattern with every or
 * every nth hour follows real time, so it neither pauses nor repeats.
 */
import { Cron } from 'croner';

const FORM =
  'expected a cron pattern of five fields (minute, hour, day of month, month, day of week), such as "0 9 * * 1-5"';

/** What is wrong with a pattern; null if nothing is. */
export function cronFault(pattern: string): string | null {
  // The library would also take a date.
  if (!pattern.startsWith('@') && pattern.trim().split(/\s+/).length !== 5) return FORM;
  try {
    const [first] = cronOf(pattern, 'UTC').nextRuns(1, new Date(0));
    return first === undefined ? 'expected a cron pattern with a day that exists' : null;
  } catch {
    return FORM;
  }
}

/** Whether the runtime knows a time zone by this name. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The first time of a pattern after a moment; null if there is none. Times are epoch milliseconds. */
export function nextCron(pattern: string, zone: string, after: number): number | null {
  if (followsRealTime(pattern)) return timeOf(cronOf(pattern, zone).nextRun(new Date(after)));
  const walls = cronOf(pattern, 'UTC');
  for (let wall: number | null = wallOf(after, zone); ; ) {
    wall = timeOf(walls.nextRun(new Date(wall)));
    if (wall === null) return null;
    const moment = momentOf(wall, zone);
    if (moment > after) return moment;
  }
}

/** The last time of a pattern at or before a moment, but after another one; null if there is none. */
export function lastCron(pattern: string, zone: string, after: number, until: number): number | null {
  // Daylight saving moves a time by at most one day, so the pattern of the zone's present offset finds a near one.
  for (const back of BACK_MS) {
    const from = Math.max(after, until - back);
    let last: number | null = null;
    for (
      let next = nextCron(pattern, zone, from);
      next !== null && next <= until;
      next = nextCron(pattern, zone, next)
    )
      last = next;
    if (last !== null || from === after) return last;
  }
  return null;
}

const DAY_MS = 86_400_000;
/** How far to look back for the last time, in steps, so that a frequent pattern is not enumerated for years. */
const BACK_MS = [3_600_000, DAY_MS, 32 * DAY_MS, 367 * DAY_MS, Number.POSITIVE_INFINITY];

const HOUR_FIELD = 1;

function followsRealTime(pattern: string): boolean {
  return pattern.startsWith('@hourly') || pattern.trim().split(/\s+/)[HOUR_FIELD]?.startsWith('*') === true;
}

function cronOf(pattern: string, timezone: string): Cron {
  return new Cron(pattern, { timezone, mode: '5-part', paused: true });
}

const timeOf = (date: Date | null): number | null => date?.getTime() ?? null;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The time that a wall clock in the zone shows, as if it were UTC. */
export function wallOf(moment: number, zone: string): number {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
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
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(moment)) part[type] = Number(value);
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
