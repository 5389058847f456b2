import type { ExitReport, OutputBytes, ProcessExit } from '../runner.ts';
import type { AttemptDirectory, RecordedExit } from './attempt-directory.ts';
import { exitOf } from './exit-record.ts';
import { tailOf } from './tail.ts';

const REASON_BYTES_MAX = 2000;

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

/** How the process ended, from the launcher's record. */
export async function recordedExit(directory: AttemptDirectory, record: RecordedExit): Promise<ProcessExit> {
  if (!record.execFailed) return exitOf(record);
  const message = (await tailOf(directory.stderr, REASON_BYTES_MAX).catch(() => '')).trim();
  return { kind: 'spawn_failed', reason: message || 'the system could not execute the command' };
}
