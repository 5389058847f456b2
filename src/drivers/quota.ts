/**
 * Whether an agent that failed has said that its quota is used up, and until when.
 *
 * A text that only mentions limits must not park its agent: a line counts if it begins with what tools print for a used-up
 * quota, or if an operator has configured a pattern for it. An answer of the agent is never searched.
 */
import { stripVTControlCharacters } from 'node:util';
import { cutText } from '../base/text/cut-text.ts';
import { lastMatch } from '../base/text/limited-match.ts';
import { isZone } from '../base/time-zone.ts';
import { resetTime } from './quota/reset-time.ts';

export interface QuotaSettings {
  /** An operator's own pattern, matched against one line at a time; null for the known texts only. */
  readonly pattern: RegExp | null;
  /** Milliseconds to wait if the agent names no time. */
  readonly parkMs: number;
  /** The zone of times that name none. */
  readonly zone: string;
}

/** The agent gets no work before `untilMs` (epoch milliseconds). */
export interface QuotaSign {
  readonly reason: string;
  readonly untilMs: number;
}

/** What a tool has said, the most specific first. */
export interface QuotaTexts {
  /** Its own message about what went wrong. */
  readonly error?: string | undefined;
  /** Ends of what it printed beside its answer. */
  readonly printed: readonly string[];
}

const MAX_REASON_LENGTH = 200;
/** A time that is further away is not believed: a week, which is the longest window that tools have, and a day. */
export const MAX_PARK_MS = 8 * 86_400_000;
/** A time that has just passed is a reason to try again now. */
const MAX_PASSED_MS = 300_000;
const MAX_LINE_LENGTH = 1_000;
/** Of a message, and of each end of the output: a quota ends the run, so nothing is printed long after it. */
const MAX_LINES = 20;
const MAX_LAST_LINES = 5;

/**
 * @param endedAt epoch milliseconds; a wait that a line names starts here
 * @param onSlowPattern called if the operator's pattern took too long, and the known texts alone were looked for
 */
export function quotaSign(
  settings: QuotaSettings,
  texts: QuotaTexts,
  endedAt: number,
  onSlowPattern: () => void = () => {},
): QuotaSign | undefined {
  const { pattern, parkMs, zone } = settings;
  const printed = texts.printed.map((text) => linesOf(text));
  const error = linesOf(texts.error ?? '');
  for (const lines of [error, ...printed]) {
    const found = pattern && lastMatch(pattern, lines);
    if (found === 'timeout') {
      onSlowPattern();
      break;
    }
    if (found) {
      const at = plausible(resetTime(found.line, endedAt, zone), endedAt);
      return signOf(found.line, at ?? endedAt + parkMs);
    }
  }
  const known = [error.slice(0, MAX_LINES), ...printed.map((lines) => lastWords(lines))];
  for (const lines of known) {
    for (const line of lines.toReversed()) {
      const named = resetTime(line, endedAt, zone);
      if (!saysSo(line, named !== undefined)) continue;
      return signOf(line, plausible(named, endedAt) ?? endedAt + parkMs);
    }
  }
  return undefined;
}

/** The zone that a program with this environment prints its times in. */
export function zoneOfEnvironment({ TZ }: Readonly<Record<string, string>>): string {
  return TZ !== undefined && isZone(TZ) ? TZ : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function linesOf(text: string): string[] {
  return stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => cutText(line.trim(), MAX_LINE_LENGTH))
    .filter((line) => line !== '');
}

/** Events in JSON hold the words of the agent: they are read by its driver. */
function lastWords(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.startsWith('{')).slice(-MAX_LAST_LINES);
}

function signOf(line: string, untilMs: number): QuotaSign {
  return {
    reason: `quota: ${cutText(line, MAX_REASON_LENGTH)}`,
    untilMs: Math.round(untilMs),
  };
}

function plausible(at: number | undefined, endedAt: number): number | undefined {
  if (at === undefined || at > endedAt + MAX_PARK_MS || at < endedAt - MAX_PASSED_MS) return undefined;
  return Math.max(at, endedAt);
}

/** What tools put before their message. */
const PREFIX =
  /^(?:[\s[⚠✖✘×■▲!⎿└│"']+|\uFE0F|\d{4}-\d\d-\d\d[T ][\d:.,]+Z?\s*|(?:(?:api|stream|http|fatal|unexpected|request|claude|codex|gemini|opencode|last)\s+){0,2}(?:error|warning|warn|status)\b[:\s]*|exceeded retry limit,|429\b[:\s]*)+/i;
const LIMIT = String.raw`(?:usage|rate|token|request|session|weekly|daily|monthly|hourly|\d+[- ]hour)`;
/** Each is a statement of the tool about itself, from its beginning. */
const STATEMENT = new RegExp(
  [
    String.raw`you(?:['’]ve| have)?(?: \w+)? (?:hit|reached|exceeded|exhausted|used up) (?:your|the)(?: [\w'’-]+){0,3} (?:limits?|quota|capacity)`,
    "you['’]re out of (?:extra )?usage",
    String.raw`(?:[\w-]+ ){0,3}?${LIMIT}s?(?: [\w-]+)? limit (?:has been |was |is )?(?:reached|exceeded|hit)`,
    String.raw`(?:[\w-]+ ){0,3}?${LIMIT} (?:limit |quota )?(?:has been |was |is )?(?:reached|exceeded|hit|exhausted)`,
    '(?:your |the |api )*quota (?:has been |was |is )?(?:exceeded|exhausted|used up|reached)',
    'exceeded your current quota',
    String.raw`limit reached(?=\s*[·∙•])`,
    'resource has been exhausted(?= .e.g. check quota)',
    'too many requests',
    '(?:rate|usage)_limit_(?:error|exceeded|reached)',
    'resource_exhausted',
    'insufficient_quota',
  ].join('|'),
  'iy',
);
/** What may follow a statement; anything else makes it a part of a sentence about limits. */
const AFTER =
  /\s*(?:$|["'\]).,;:!|·∙•(–—…-]|resets?\b|try again\b|please\b|retry\b|until\b|(?:for|on) (?:the |this |your )?(?:model|account|organization|plan|tokens|requests)\b|for (?:\d+ hours?|quota metric|[\w./:-]+ in organization)\b)/iy;
/** A hint stands alone, up to its time: this, and then only words of {@link TIME_WORD}. */
const HINT =
  /^(?:please\s+)?(?:(?:try again|retry)\s+(?:in|at|after|on)\s+|[Rr]etry-[Aa]fter["']?\s*[:=]\s*)/;
const WORD = /[ap]\.m\b|[A-Za-z]+(?:\/[A-Za-z_]+)*/g;
/** Units, months, days and zones. */
const TIME_WORD =
  /^(?:an?|hours?|minutes?|seconds?|days?|min|sec|hrs?|and|at|on|tomorrow|[hmsd]|[ap]\.?m|st|nd|rd|th|[A-Z][a-z]{2,8}|[A-Z][a-z]+(?:\/[A-Za-z_]+)+|[A-Z]+)$/;
/** The code of an error in the answer of an API. */
const CODE =
  /"(?:type|code|status|reason)":\s*"(?:rate_limit_error|rate_limit_exceeded|usage_limit_reached|insufficient_quota|RESOURCE_EXHAUSTED)"/i;

/** @param hasTime whether the line names a time */
function saysSo(line: string, hasTime: boolean): boolean {
  const start = PREFIX.exec(line)?.[0].length ?? 0;
  const core = line.slice(start);
  if (start > 0 && CODE.test(core)) return true;
  STATEMENT.lastIndex = 0;
  if (STATEMENT.test(core)) {
    AFTER.lastIndex = STATEMENT.lastIndex;
    if (AFTER.test(core)) return true;
  }
  return hasTime && isHint(`${core.slice(0, 1).toLowerCase()}${core.slice(1)}`);
}

/** Word by word: one expression for all of them would take exponential time for a text that does not end like a time. */
function isHint(text: string): boolean {
  const start = HINT.exec(text)?.[0].length;
  return start !== undefined && (text.slice(start).match(WORD) ?? []).every((word) => TIME_WORD.test(word));
}
