import { MARKER_VARIABLE, splitMarkers } from '../markers.ts';
import type { Memory, ProcessEntry } from './process-table.ts';

/** The kernel reports CPU and start times in hundredths of a second on every architecture that Node runs on (USER_HZ). */
export const MS_PER_TICK = 10;
/** Kernel flag PF_FORKNOEXEC: the process was forked and has not executed a program of its own. */
const FORKED_NOT_EXECUTED = 0x40;

/** Fields of /proc/PID/stat after the name, which may hold spaces and parentheses itself. Numbers as in proc(5), less 3. */
const FIELD = {
  state: 0,
  ppid: 1,
  pgid: 2,
  sid: 3,
  flags: 6,
  cpuFirst: 11,
  cpuLast: 14,
  startTime: 19,
} as const;

/** One process from a line of /proc/PID/stat; undefined if it is not such a line. */
export function parseStat(text: string): ProcessEntry | undefined {
  const nameStart = text.indexOf('(');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 0 || nameEnd < nameStart) return undefined;
  const fields = text.slice(nameEnd + 2).split(' ', FIELD.startTime + 1);
  const startTime = fields[FIELD.startTime]?.trim();
  const pid = Number(text.slice(0, nameStart));
  if (!Number.isInteger(pid) || pid <= 0 || startTime === undefined || !/^\d+$/.test(startTime))
    return undefined;
  const ticks = fields
    .slice(FIELD.cpuFirst, FIELD.cpuLast + 1)
    .reduce((sum, field) => sum + Number(field), 0);
  return {
    pid,
    startTime,
    ppid: Number(fields[FIELD.ppid]),
    pgid: Number(fields[FIELD.pgid]),
    sid: Number(fields[FIELD.sid]),
    state: fields[FIELD.state] ?? '?',
    name: text.slice(nameStart + 1, nameEnd),
    cpuMs: ticks * MS_PER_TICK,
    beforeExec: (Number(fields[FIELD.flags]) & FORKED_NOT_EXECUTED) !== 0,
  };
}

/** Memory in use from /proc/PID/status; undefined for a process that has none (zombie, kernel thread). */
export function parseMemory(status: string): Memory | undefined {
  const now = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
  if (now === undefined || peak === undefined) return undefined;
  return { nowBytes: Number(now) * 1024, peakBytes: Number(peak) * 1024 };
}

const MARKER_PREFIX = Buffer.from(`${MARKER_VARIABLE}=`);

/** The markers in the bytes of /proc/PID/environ: entries that end in NUL. */
export function markersIn(environment: Buffer): string[] {
  let start = environment.indexOf(MARKER_PREFIX);
  while (start > 0 && environment[start - 1] !== 0) start = environment.indexOf(MARKER_PREFIX, start + 1);
  if (start < 0) return [];
  const end = environment.indexOf(0, start);
  return splitMarkers(
    environment.toString('latin1', start + MARKER_PREFIX.length, end < 0 ? undefined : end),
  );
}
