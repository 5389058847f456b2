import { MARKER_VARIABLE, splitMarkers } from '../markers.ts';
import type { ProcessEntry, ProcessKey } from './process-table.ts';

/** `lstart` takes five words in the C locale ("Thu Nov 21 07:00:00 2024"); `comm` may hold spaces, so it stands last. */
export const psColumns = 'pid=,ppid=,pgid=,state=,time=,lstart=,comm=';

const ENTRY =
  /^\s*(?<pid>\d+)\s+(?<ppid>\d+)\s+(?<pgid>\d+)\s+(?<state>\S)\S*\s+(?<time>[\d:.-]+)\s+(?<start>\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(?<name>.+)$/;
const RECORD = /^\s*(?<pid>\d+)\s+(?<start>\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s*$/;
const MARKER = new RegExp(`^\\s*(?<pid>\\d+)\\s.*\\s${MARKER_VARIABLE}=(?<markers>\\S+)`);

/** One process from a line of `ps -o` with {@link psColumns}. */
export function parsePsLine(line: string): ProcessEntry | undefined {
  const fields = ENTRY.exec(line)?.groups;
  const startTime = startSeconds(fields?.start);
  if (fields === undefined || startTime === undefined) return undefined;
  return {
    pid: Number(fields.pid),
    startTime,
    ppid: Number(fields.ppid),
    pgid: Number(fields.pgid),
    sid: 0,
    state: fields.state ?? '?',
    name: fields.name?.trim().split('/').pop() ?? '',
    cpuMs: cpuMilliseconds(fields.time ?? '0'),
  };
}

/** What the launcher writes where there is no /proc: `ps -o pid=,lstart=`. */
export function parsePsRecord(line: string): ProcessKey | undefined {
  const fields = RECORD.exec(line)?.groups;
  const startTime = startSeconds(fields?.start);
  return fields === undefined || startTime === undefined ? undefined : { pid: Number(fields.pid), startTime };
}

/** Pid and markers from a line of `ps -Eo pid=,command=`, which shows the environment after the arguments. */
export function parsePsMarkers(
  line: string,
): { readonly pid: number; readonly markers: string[] } | undefined {
  const fields = MARKER.exec(line)?.groups;
  if (fields?.markers === undefined) return undefined;
  return { pid: Number(fields.pid), markers: splitMarkers(fields.markers) };
}

function startSeconds(text: string | undefined): string | undefined {
  const milliseconds = Date.parse(text ?? '');
  return Number.isNaN(milliseconds) ? undefined : String(milliseconds / 1000);
}

/** "[[days-]hours:]minutes:seconds.hundredths" */
function cpuMilliseconds(text: string): number {
  const [clock = '0', days = '0'] = text.split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1000);
}
