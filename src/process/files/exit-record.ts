import { constants } from 'node:os';
import type { ProcessExit } from '../runner.ts';

/** What the launcher records at the end. */
export interface ExitRecord {
  /** The shell's `$?`: the exit code, or 128 and the number of the signal. */
  readonly status: number;
  /** The shell reported the end by a signal. It keeps silent about SIGINT and SIGPIPE. */
  readonly signalled: boolean;
  readonly cpuMs?: number;
}

const SIGNAL_BASE = 128;
const UNREPORTED_SIGNALS: readonly string[] = ['SIGINT', 'SIGPIPE'];

/** Undefined as long as the record is not complete. */
export function parseExitRecord(text: string): ExitRecord | undefined {
  const lines = text.split('\n');
  const status = /^status (\d+)$/.exec(lines[0] ?? '')?.[1];
  if (status === undefined || lines.at(-2) !== 'end') return undefined;
  const cpuMs = cpuMilliseconds(lines.at(-3) ?? '');
  const record = { status: Number(status), signalled: lines[1] === 'signalled' };
  return cpuMs === undefined ? record : { ...record, cpuMs };
}

/**
 * A status of 130 or 141 is read as SIGINT or SIGPIPE: nobody can tell these from `exit 130` and `exit 141` afterwards,
 * and programs use the latter to say the same.
 */
export function exitOf(record: ExitRecord): ProcessExit {
  const signal = signalName(record.status - SIGNAL_BASE);
  if (record.signalled || UNREPORTED_SIGNALS.includes(signal)) return { kind: 'signalled', signal };
  return { kind: 'exited', code: record.status };
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

/** User and system time of the children, as the shell's `times` prints them: "0m1.230000s 0m0.040000s". */
function cpuMilliseconds(line: string): number | undefined {
  const times = [...line.matchAll(/(\d+)m([\d.,]+)s/g)];
  if (times.length !== 2) return undefined;
  const seconds = times.reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest?.replace(',', '.')),
    0,
  );
  return Math.round(seconds * 1000);
}
