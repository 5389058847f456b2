/** Whether an agent's last words say that its quota is used up, and until when. */

export interface QuotaSettings {
  /** Without regard to case, and for one line at a time. */
  readonly pattern: RegExp;
  /** Milliseconds to wait where the agent names no time. */
  readonly parkMs: number;
}

/** The agent is of no use before `untilMs` (epoch milliseconds). */
export interface QuotaSign {
  readonly reason: string;
  readonly untilMs: number;
}

const REASON_CHARACTERS = 200;
/** A time that is further away was read out of something else. */
const LONGEST_MS = 31 * 86_400_000;

const RETRY_AFTER =
  /\bretry[ -]after:?\s+(?<count>\d+(?:\.\d+)?)\s*(?:(?<second>s(?:ec(?:ond)?s?)?)|m(?:in(?:ute)?s?)?)\b/i;
const RESETS_AT =
  /\bresets? at:?\s+(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))/i;

/**
 * @param texts ends of what the agent wrote, the most telling first; in each the last line that matches counts
 * @param endedAt epoch milliseconds; a time that the line names from now on is meant from there
 */
export function quotaSign(
  { pattern, parkMs }: QuotaSettings,
  texts: readonly string[],
  endedAt: number,
): QuotaSign | undefined {
  for (const text of texts) {
    const line = text.split(/\r?\n/).findLast((each) => pattern.test(each));
    if (line === undefined) continue;
    const shown = [...line.trim()].slice(0, REASON_CHARACTERS).join('');
    return { reason: `quota: ${shown}`, untilMs: namedTime(line, endedAt) ?? Math.round(endedAt + parkMs) };
  }
  return undefined;
}

/** Epoch milliseconds; undefined where the line names no time, or none that can be meant. */
function namedTime(line: string, endedAt: number): number | undefined {
  const wait = RETRY_AFTER.exec(line)?.groups;
  const time = RESETS_AT.exec(line)?.groups?.time;
  const unitMs = wait?.second === undefined ? 60_000 : 1_000;
  const named = wait === undefined ? Date.parse(time ?? '') : endedAt + Number(wait.count) * unitMs;
  return named > endedAt && named <= endedAt + LONGEST_MS ? Math.round(named) : undefined;
}
