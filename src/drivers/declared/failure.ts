/** Why a run of a declared driver has failed, in the words of its program if there are any. */
import type { RunRequest, RunResult } from '../driver.ts';
import { complaintOf, type EndedOutput } from '../program.ts';
import { MAX_JSON_BYTES } from './json-output.ts';
import type { OutputReading } from './reading.ts';
import type { DriverSpec } from './spec.ts';

/** @returns undefined for a success, and for a program that was stopped before its result */
export async function failureOf(
  spec: DriverSpec,
  reading: OutputReading,
  result: RunResult,
  ended: EndedOutput,
  lost: string | undefined,
): Promise<string | undefined> {
  const meaning = result.kind === 'exited' ? spec.exit_codes[String(result.code)] : undefined;
  switch (reading.status) {
    case 'failed':
      return reading.error ?? withWords(meaning ?? 'its result says that it failed, but not why', ended);
    case 'nothing':
      // A program that was stopped before its result may have reported success over HTTP.
      if (result.kind === 'signalled') return undefined;
      if (reading.error !== undefined) return reading.error;
      return lost === undefined
        ? withWords(meaning ?? withoutResult(spec, reading), ended)
        : `${meaning ?? withoutResult(spec, reading)}: ${lost}`;
    case 'ok':
      if (result.kind === 'exited' && result.ok !== true)
        return withWords(meaning ?? 'its result says that it succeeded', ended);
      // Its answer was in the part that is lost.
      return reading.text === undefined ? lost : undefined;
  }
}

/** What of its output could not be read, and which limit is to blame; undefined if everything was. */
export function lostOutput(
  { tooLong }: OutputReading,
  { stdoutBytes }: EndedOutput,
  maxOutputBytes: number,
): string | undefined {
  if (stdoutBytes > maxOutputBytes) {
    return `it printed ${stdoutBytes} bytes, and max_output_bytes of its agent keeps ${maxOutputBytes}: raise max_output_bytes, or let it write its result to a file and post that as content_path`;
  }
  return tooLong > 0
    ? `it printed a line of more than ${MAX_JSON_BYTES} bytes, the most that is read: let it write its result to a file and post that as content_path`
    : undefined;
}

function withoutResult({ output, program }: DriverSpec, { events, ignored }: OutputReading): string {
  if (output.format === 'text') return `${program} printed nothing`;
  const other = events > 0 ? ' (a JSON document of another form)' : '';
  const seen = output.format === 'jsonl' ? ` (${events} events, ${ignored} other lines)` : other;
  return `the output of ${program} has no readable result${seen}`;
}

async function withWords(text: string, ended: EndedOutput): Promise<string> {
  const words = await complaintOf(ended);
  return words === undefined ? text : `${text}: it printed "${words}"`;
}

const SAYS_GONE =
  /\bno (?:conversation|session|thread|rollout)s? found\b|\b(?:conversation|session|thread|rollout)\b.{0,80}\b(?:not found|does not exist|no longer exists)\b/i;

/** It was to continue a session, and says that there is no such session, or has begun another one. */
export function lostItsSession(
  { session }: DriverSpec,
  reading: OutputReading,
  { resumes }: RunRequest,
  { exit, stderrTail }: EndedOutput,
): boolean {
  if (resumes === null || reading.status === 'ok' || (exit.kind === 'exited' && exit.code === 0))
    return false;
  const isOther = reading.session !== undefined && reading.session !== resumes.session;
  return (session === 'caller' && isOther) || SAYS_GONE.test(reading.error ?? stderrTail);
}

/** Exit codes of a shell, and of programs that handle the signal, after SIGHUP, SIGINT, SIGKILL and SIGTERM. */
const SIGNAL_EXIT_CODES: ReadonlySet<number> = new Set([129, 130, 137, 143]);

/** Whether it ended by itself, not by a signal. */
export function hasExited(result: RunResult): boolean {
  return result.kind === 'exited' && !SIGNAL_EXIT_CODES.has(result.code);
}

/** Of a program that Signalbox ends after its last word: what it said counts, not how it was ended. */
export function resultOfSpoken(
  result: RunResult,
  { status }: OutputReading,
  { wasEnded }: EndedOutput,
): RunResult {
  if (status === 'nothing') return result;
  return (wasEnded ?? !(hasExited(result) || result.kind === 'threw')) ? { kind: 'returned' } : result;
}
