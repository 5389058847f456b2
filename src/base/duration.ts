/** Durations as people write them: `90`, `90s`, `5m`, `1h30m`, `2 d`. */

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const PART = /(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)/y;

/** @returns seconds, or null if the text is not a duration; a number alone is seconds */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (trimmed.length > 40) return null;
  let total = 0;
  let at = 0;
  while (at < trimmed.length) {
    PART.lastIndex = at;
    const [all = '', count = '', unit = ''] = PART.exec(trimmed) ?? [];
    if (all === '') return null;
    total += Number(count) * (SECONDS[unit] ?? 0);
    at += all.length;
    while (trimmed[at] === ' ') at++;
  }
  return at === 0 ? null : total;
}

const UNITS = ['d', 'h', 'm', 's'] as const;

/** As `parseDuration` reads it: `1h`, `1h30m`, `7d`. */
export function shortDuration(seconds: number): string {
  let rest = seconds;
  const parts = UNITS.map((unit) => {
    const length = SECONDS[unit] ?? 1;
    const count = unit === 's' ? rest : Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
