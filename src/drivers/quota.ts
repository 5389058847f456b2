/** Whether the end of an agent's output says that its quota is used up, and until when. */

export interface QuotaSettings {
  /** Matched against one line at a time. */
  readonly pattern: RegExp;
  /** Milliseconds to wait if the agent names no time. */
  readonly parkMs: number;
}

/** The agent gets no work before `untilMs` (epoch milliseconds). */
export interface QuotaSign {
  readonly reason: string;
  readonly untilMs: number;
}

const MAX_REASON_CHARACTERS = 200;
/** A time that is further away is not believed. */
const MAX_PARK_MS = 31 * 86_400_000;

const RETRY_AFTER =
  /\bretry[ -]after:?\s+(?<count>\d+(?:\.\d+)?)\s*(?:(?<second>s(?:ec(?:ond)?s?)?)|m(?:in(?:ute)?s?)?)\b/i;
const RESETS_AT =
  /\bresets? at:?\s+(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))/i;

/**
 * @param texts ends of the agent's output, the most specific first; in each the last line that matches counts
 * @param endedAt epoch milliseconds; a wait that the line names starts here
 */
export function quotaSign(
  { pattern, parkMs }: QuotaSettings,
  texts: readonly string[],
  endedAt: number,
): QuotaSign | undefined {
  for (const text of texts) {
    const line = text.split(/\r?\n/).findLast((each) => pattern.test(each));
    if (line === undefined) continue;
    const shown = [...line.trim()].slice(0, MAX_REASON_CHARACTERS).join('');
    return { reason: `quota: ${shown}`, untilMs: namedTime(line, endedAt) ?? Math.round(endedAt + parkMs) };
  }
  return undefined;
}

/** Epoch milliseconds; undefined if the line names no time that is plausible. */
function namedTime(line: string, endedAt: number): number | undefined {
  const wait = RETRY_AFTER.exec(line)?.groups;
  const time = RESETS_AT.exec(line)?.groups?.time;
  const unitMs = wait?.second === undefined ? 60_000 : 1_000;
  const named = wait === undefined ? Date.parse(time ?? '') : endedAt + Number(wait.count) * unitMs;
  return named > endedAt && named <= endedAt + MAX_PARK_MS ? Math.round(named) : undefined;
}
