/** How a process ended: the launcher's record of it, and the report made from the record. */
import { constants } from 'node:os';
import type { ExitReport, OutputBytes, ProcessExit } from '../runner.ts';
import type { AttemptDirectory, RecordedExit } from './attempt-directory.ts';
import { tailOf } from './tail.ts';

/** What the launcher writes when the command has ended. */
export interface ExitRecord {
  /** The shell's `$?`: the exit code, or 128 plus the number of the signal. */
  readonly status: number;
  /** Whether the shell reported a signal. It reports none for SIGINT and SIGPIPE. */
  readonly signalled: boolean;
  readonly cpuMs?: number;
}

const SIGNAL_BASE = 128;
const UNREPORTED_SIGNALS: readonly string[] = ['SIGINT', 'SIGPIPE'];
const MAX_REASON_BYTES = 2000;

/** Undefined if the record is not complete yet. */
export function parseExitRecord(text: string): ExitRecord | undefined {
  const lines = text.split('\n');
  const status = /^status (\d+)$/.exec(lines[0] ?? '')?.[1];
  if (status === undefined || lines.at(-2) !== 'end') return undefined;
  const cpuMs = cpuMilliseconds(lines.at(-3) ?? '');
  const record = { status: Number(status), signalled: lines[1] === 'signalled' };
  return cpuMs === undefined ? record : { ...record, cpuMs };
}

/** Statuses 130 and 141 are read as SIGINT and SIGPIPE: `exit 130` and `exit 141` look the same and mean the same. */
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

/** The exit that the launcher recorded. */
export async function recordedExit(directory: AttemptDirectory, record: RecordedExit): Promise<ProcessExit> {
  if (!record.execFailed) return exitOf(record);
  const message = (await tailOf(directory.stderr, MAX_REASON_BYTES).catch(() => '')).trim();
  return { kind: 'spawn_failed', reason: message || 'the system could not execute the command' };
}

export interface Measured {
  readonly output: OutputBytes;
  readonly cpuMs?: number | undefined;
  readonly peakMemoryBytes?: number | undefined;
}

export function reportOf(exit: ProcessExit, endedAt: number, measured: Measured): ExitReport {
  const { output, cpuMs, peakMemoryBytes } = measured;
  return {
    exit,
    endedAt,
    ...(cpuMs !== undefined && { cpuMs }),
    ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    stdoutBytes: output.stdout,
    stderrBytes: output.stderr,
  };
}
