/** The processes of a Mac, from `ps`. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { MARKER_VARIABLE, splitMarkers } from '../markers.ts';
import type { Memory, ProcessEntry, ProcessKey, ProcessTable } from './process-table.ts';

const run = promisify(execFile);
const PS = '/bin/ps';
/** The C locale, whose dates the parser knows. */
const OPTIONS = { env: { LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 } as const;
const MAX_COMMAND_LINE_LENGTH = 300;

/** `lstart` takes five words in the C locale ("Thu Nov 21 07:00:00 2024"); `comm` may hold spaces, so it comes last. */
const COLUMNS = 'pid=,ppid=,pgid=,state=,time=,lstart=,comm=';
const ENTRY =
  /^\s*(?<pid>\d+)\s+(?<ppid>\d+)\s+(?<pgid>\d+)\s+(?<state>\S)\S*\s+(?<time>[\d:.-]+)\s+(?<start>\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(?<name>.+)$/;
const RECORD = /^\s*(?<pid>\d+)\s+(?<start>\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s*$/;
const MARKER = new RegExp(`^\\s*(?<pid>\\d+)\\s.*\\s${MARKER_VARIABLE}=(?<markers>\\S+)`);

/**
 * Processes from `ps`, for macOS. Weaker than on Linux:
 * - Start times have a resolution of one second, so a pid that is reused within one second is not told apart.
 * - `ps` takes some milliseconds between reading a process and the signal (on Linux: some microseconds).
 * - `ps -E` shows the environment of this user's programs only, and not that of programs under System Integrity
 *   Protection (all of /bin and /usr/bin): such a process is not found if it changed its session and lost its parent.
 * - Sessions have no numbers: only groups, descent and markers lead to a process.
 * - Peak memory is the highest sample, because the system keeps no high-water mark.
 * - `ps` is a program: a scan costs about 10 ms of CPU time, a lookup before a signal blocks for about 5 ms.
 */
export class DarwinProcessTable implements ProcessTable {
  #bootId: string | undefined;

  async scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]> {
    const lines = (await this.#ps(['-axo', COLUMNS])).split('\n');
    const entries = lines.flatMap((line) => parsePsLine(line) ?? []);
    const since = query.markersSince;
    if (since === undefined) return entries;
    const environments = new Map<number, readonly string[]>();
    for (const line of (await this.#ps(['-axEwwo', 'pid=,command='])).split('\n')) {
      const found = parsePsMarkers(line);
      if (found !== undefined) environments.set(found.pid, found.markers);
    }
    return entries.map((entry) => {
      const markers = Number(entry.startTime) >= Number(since) ? environments.get(entry.pid) : undefined;
      return markers === undefined ? entry : { ...entry, markers };
    });
  }

  lookup(pid: number): ProcessEntry | undefined {
    return parsePsLine(this.#psNow(['-o', COLUMNS, '-p', String(pid)]));
  }

  parseRecord(line: string): ProcessKey | undefined {
    return parsePsRecord(line);
  }

  ageMs({ startTime }: ProcessKey): number {
    return Math.max(0, Date.now() - Number(startTime) * 1000);
  }

  markers(): undefined {
    return undefined;
  }

  async commandLine(pid: number): Promise<string | undefined> {
    const text = (await this.#ps(['-wwo', 'command=', '-p', String(pid)]).catch(() => '')).trim();
    return text === '' ? undefined : text.slice(0, MAX_COMMAND_LINE_LENGTH);
  }

  memory(pid: number): Memory | undefined {
    const kilobytes = Number(this.#psNow(['-o', 'rss=', '-p', String(pid)]).trim());
    return kilobytes > 0 ? { nowBytes: kilobytes * 1024, peakBytes: kilobytes * 1024 } : undefined;
  }

  bootId(): string | undefined {
    this.#bootId ??= quietly(() => execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], OPTIONS));
    return this.#bootId === '' ? undefined : this.#bootId;
  }

  async #ps(args: readonly string[]): Promise<string> {
    try {
      return (await run(PS, args, OPTIONS)).stdout;
    } catch (error) {
      throw new SignalboxError('internal', `${PS} ${args.join(' ')} failed: ${messageOf(error)}`);
    }
  }

  #psNow(args: readonly string[]): string {
    return quietly(() => execFileSync(PS, args, { ...OPTIONS, stdio: ['ignore', 'pipe', 'ignore'] }));
  }
}

/** `ps -p` fails if there is no such process. */
function quietly(command: () => Buffer): string {
  try {
    return command().toString('utf8').trim();
  } catch {
    return '';
  }
}

/** A process from a line of `ps -o` with the columns that {@link DarwinProcessTable} asks for. */
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

/** What the launcher writes on a system without /proc: `ps -o pid=,lstart=`. */
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
