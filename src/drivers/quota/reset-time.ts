/**
 * The time at which a quota is free again, as tools print it: an epoch, ISO 8601, an HTTP date, a wait ("in 2 hours 5
 * minutes", `Retry-After: 120`), or a time of the day with or without a date and a zone ("resets 9am (UTC)").
 */
import { epochOf, type WallTime, wallTimeOf, type Zone, zoneOf } from './zoned-time.ts';

const DAY_MS = 86_400_000;
/** A time of the day that has passed by less than this is meant for today: the tool printed it before it ended. */
const SLACK_MS = 300_000;

/**
 * @param text one line
 * @param now epoch milliseconds; a wait starts here
 * @param zone of times that name none
 * @returns epoch milliseconds; undefined if the line names no time
 */
export function resetTime(text: string, now: number, zone: Zone): number | undefined {
  return (
    epochIn(text) ?? isoIn(text, zone) ?? httpDateIn(text) ?? waitIn(text, now) ?? clockIn(text, now, zone)
  );
}

/** As in `usage limit reached|1729900000`; also in milliseconds. */
function epochIn(text: string): number | undefined {
  const digits = /(?:\||\bresets?(?:[_ ]at)?["':=\s]+|\buntil\s+)(?<digits>1\d{9}(?:\d{3})?)\b/i.exec(text)
    ?.groups?.digits;
  return digits === undefined ? undefined : Number(digits) * (digits.length === 10 ? 1_000 : 1);
}

const ISO =
  /\b(?<date>\d{4}-\d\d-\d\d)[T ](?<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?\(?(?<zone>Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d|[A-Za-z]+\/[A-Za-z_/]+)?/;

function isoIn(text: string, zone: Zone): number | undefined {
  const found = ISO.exec(text)?.groups;
  if (!found) return undefined;
  const asUtc = Date.parse(`${found.date}T${found.time}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  const named = found.zone === undefined ? zone : zoneOf(found.zone);
  return named === undefined ? undefined : epochOf(wallTimeOf(asUtc, 0), named) + (asUtc % 1_000);
}

function httpDateIn(text: string): number | undefined {
  const date = /\b[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\b/.exec(text)?.[0];
  const at = Date.parse(date ?? '');
  return Number.isNaN(at) ? undefined : at;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
};
const PART = String.raw`(?:\d+(?:\.\d+)?\s*|an?\s+)(?:ms|milliseconds?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?![a-z])`;
const WAIT = new RegExp(
  String.raw`\b(?:in|after|wait(?:ing)?(?:\s+for)?|for|retry_?delay)["':=\s]+(?:about\s+|another\s+)?(?<span>${PART}(?:[\s,]*(?:and\s+)?${PART})*)`,
  'i',
);
const PARTS = /(?<count>\d+(?:\.\d+)?|\ban?(?=\s))\s*(?<unit>ms|milli|s|m|h|d|w)/gi;
/** A number without a unit counts seconds. */
const RETRY_AFTER =
  /\bretry[-_ ]after["'\s]*(?:[:=]\s*)?["']?(?<seconds>\d+(?:\.\d+)?)["']?(?=\s*(?:$|[,;)}\]]|\.(?!\d)))/i;

function waitIn(text: string, now: number): number | undefined {
  const seconds = RETRY_AFTER.exec(text)?.groups?.seconds;
  if (seconds !== undefined) return now + Number(seconds) * 1_000;
  const span = WAIT.exec(text)?.groups?.span;
  if (span === undefined) return undefined;
  let ms = 0;
  for (const { groups: { count = '', unit = '' } = {} } of span.matchAll(PARTS)) {
    const name = unit.toLowerCase();
    ms +=
      (/^an?$/i.test(count) ? 1 : Number(count)) *
      (name.startsWith('m') && name !== 'm' ? 1 : (UNITS_MS[name] ?? 0));
  }
  return now + ms;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** What stands before a time of the day; without it a time is only a time. */
const LEAD =
  /\b(?:resets?|resetting|renews?|try again|retry(?:ing)?|available(?: again)?|until|again)\b:?(?:\s+(?:at|on|by|after))?\s*/gi;
const HALF_DAY =
  /\b(?<hour>1[0-2]|0?[1-9])(?::(?<minute>[0-5]\d))?(?::(?<second>[0-5]\d))?\s?(?<half>[ap])\.?m\b/i;
const WHOLE_DAY = /\b(?<hour>[01]?\d|2[0-3])[:h](?<minute>[0-5]\d)(?::(?<second>[0-5]\d))?(?!\d)/;
const NAMED = /\b(?<name>noon|midnight)\b/i;
const MONTH_DAY = new RegExp(
  String.raw`\b(?:(?<month>${MONTHS.join('|')})[a-z]*\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?|(?<day2>\d{1,2})(?:st|nd|rd|th)?\s+(?<month2>${MONTHS.join('|')})[a-z]*)(?:,?\s+(?<year>20\d\d))?\b`,
  'i',
);
const WEEKDAY = new RegExp(String.raw`\b(?<name>${DAYS.join('|')})(?:[a-z]*day|s|r|rs|nes)?\b`, 'i');
const ZONE =
  /\((?<braced>[^()]{1,40})\)|(?:\d|[apAP]\.?[mM]\.?)\s+(?!AM\b|PM\b)(?<plain>[A-Z]{2,4}T?(?:[+-]\d{1,2}(?::?\d\d)?)?|[A-Za-z]+\/[A-Za-z_/]+)(?![a-z])/;
const MAX_TIME_LENGTH = 80;

type Clock = Pick<WallTime, 'hour' | 'minute' | 'second'>;

function clockIn(text: string, now: number, zone: Zone): number | undefined {
  const lead = [...text.matchAll(LEAD)].at(-1);
  if (!lead) return undefined;
  const rest = text.slice(lead.index + lead[0].length, lead.index + lead[0].length + MAX_TIME_LENGTH);
  const clock = clockOf(rest);
  const date = MONTH_DAY.exec(rest)?.groups;
  if (clock === undefined && date === undefined) return undefined;
  const names = ZONE.exec(rest)?.groups;
  const own = zoneOf(names?.braced?.trim() ?? names?.plain ?? '') ?? zone;
  const today = wallTimeOf(now, own);
  const at = (change: Partial<WallTime>): number =>
    epochOf({ ...today, ...(clock ?? { hour: 0, minute: 0, second: 0 }), ...change }, own);
  if (date) return dateIn(date, at, today, now);
  const days = daysAhead(rest, at({}) < now - SLACK_MS, today);
  return at({ day: today.day + days });
}

function clockOf(rest: string): Clock | undefined {
  const half = HALF_DAY.exec(rest)?.groups;
  const found = half ?? WHOLE_DAY.exec(rest)?.groups;
  if (found) {
    const hour = half
      ? (Number(found.hour) % 12) + (found.half?.toLowerCase() === 'p' ? 12 : 0)
      : Number(found.hour);
    return { hour, minute: Number(found.minute ?? 0), second: Number(found.second ?? 0) };
  }
  const name = NAMED.exec(rest)?.groups?.name?.toLowerCase();
  return name === undefined ? undefined : { hour: name === 'noon' ? 12 : 0, minute: 0, second: 0 };
}

/** A date without a year is the next one. */
function dateIn(
  { month, month2, day, day2, year }: Readonly<Record<string, string | undefined>>,
  at: (change: Partial<WallTime>) => number,
  today: WallTime,
  now: number,
): number {
  const named = {
    month: MONTHS.indexOf((month ?? month2 ?? '').toLowerCase()) + 1,
    day: Number(day ?? day2),
  };
  if (year !== undefined) return at({ ...named, year: Number(year) });
  const thisYear = at(named);
  return thisYear < now - DAY_MS ? at({ ...named, year: today.year + 1 }) : thisYear;
}

/** @param hasPassed whether that time of today has passed */
function daysAhead(rest: string, hasPassed: boolean, { year, month, day }: WallTime): number {
  if (/\btomorrow\b/i.test(rest)) return 1;
  const weekday = WEEKDAY.exec(rest)?.groups?.name?.toLowerCase();
  if (weekday === undefined) return hasPassed ? 1 : 0;
  const todays = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const days = (DAYS.indexOf(weekday) - todays + 7) % 7;
  return days === 0 && hasPassed ? 7 : days;
}
