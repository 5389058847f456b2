/** Numbers, sizes and times as short text. */

/** The time zone of the browser, in which the page shows times. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ago(time: string | number | null, now: number): string {
  if (time === null) return '–';
  const ms = now - (typeof time === 'number' ? time : Date.parse(time));
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds === 0) return 'now';
  const text = seconds < 10 ? `${seconds} s` : duration(seconds * 1_000);
  return ms < 0 ? `in ${text}` : text;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** The two largest parts, as in `2 h 5 m`. @param ms milliseconds */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const parts = UNITS.slice(first, first + 2).map(([unit, size], index) => {
    const rest = index === 0 ? ms : ms % (UNITS[first]?.[1] ?? size);
    return { unit, count: Math.floor(rest / size) };
  });
  return parts
    .filter(({ count }, index) => index === 0 || count > 0)
    .map(({ unit, count }) => `${count} ${unit}`)
    .join(' ');
}

export function bytes(count: number | null): string {
  if (count === null) return '–';
  if (count < 1_024) return `${count} B`;
  const power = Math.min(3, Math.floor(Math.log2(count) / 10));
  const value = count / 1_024 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
}

const grouped = new Intl.NumberFormat('en');
export const number = (count: number): string => grouped.format(count);

const short = new Intl.NumberFormat('en', { notation: 'compact' });
/** As in `8.2M`. */
export const compact = (count: number): string => short.format(count);

export const counted = (count: number, noun: string): string =>
  `${number(count)} ${noun}${count === 1 ? '' : 's'}`;

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const calendar = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** In the time zone of the browser; with the date if it is not today. */
export function moment(time: string | number): string {
  const date = new Date(time);
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : calendar.format(date);
}

/** An identifier as words: `timed_out` is "timed out". */
export const spoken = (name: string): string => name.replaceAll('_', ' ');
