import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { Memory, ProcessEntry, ProcessKey, ProcessTable } from './process-table.ts';
import { parsePsLine, parsePsMarkers, parsePsRecord, psColumns } from './ps-output.ts';

const run = promisify(execFile);
const PS = '/bin/ps';
/** Dates as the parser knows them. */
const OPTIONS = { env: { LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 } as const;
const COMMAND_LINE_CHARACTERS_MAX = 300;

/**
 * Processes from `ps`, for macOS. The interface is that of Linux; weaker than there:
 * - Start times have a resolution of one second, so a pid reused within one second would not be told apart.
 * - Between the look at a process and the signal `ps` itself takes some milliseconds (on Linux: some microseconds).
 * - `ps -E` shows the environment of this user's programs only, and not that of programs under System Integrity
 *   Protection (all of /bin and /usr/bin): such a process that changed its session and lost its parent is not found.
 * - Sessions are not numbered: only groups, descent and markers lead to a process.
 * - Peak memory is the highest sample, since the system keeps no high-water mark.
 * - `ps` is a program: a look costs about 10 ms of CPU time, a lookup before a signal blocks for about 5 ms.
 */
export class DarwinProcessTable implements ProcessTable {
  #bootId: string | undefined;

  async scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]> {
    const entries = lines(await this.#ps(['-axo', psColumns])).flatMap((line) => parsePsLine(line) ?? []);
    const since = query.markersSince;
    if (since === undefined) return entries;
    const environments = new Map<number, readonly string[]>();
    for (const line of lines(await this.#ps(['-axEwwo', 'pid=,command=']))) {
      const found = parsePsMarkers(line);
      if (found !== undefined) environments.set(found.pid, found.markers);
    }
    return entries.map((entry) => {
      const markers = Number(entry.startTime) >= Number(since) ? environments.get(entry.pid) : undefined;
      return markers === undefined ? entry : { ...entry, markers };
    });
  }

  lookup(pid: number): ProcessEntry | undefined {
    return parsePsLine(this.#psNow(['-o', psColumns, '-p', String(pid)]));
  }

  parseRecord(line: string): ProcessKey | undefined {
    return parsePsRecord(line);
  }

  ageMs({ startTime }: ProcessKey): number {
    return Math.max(0, Date.now() - Number(startTime) * 1000);
  }

  async commandLine(pid: number): Promise<string | undefined> {
    const text = (await this.#ps(['-wwo', 'command=', '-p', String(pid)]).catch(() => '')).trim();
    return text === '' ? undefined : text.slice(0, COMMAND_LINE_CHARACTERS_MAX);
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

/** `ps -p` ends with an error if there is no such process. */
function quietly(command: () => Buffer): string {
  try {
    return command().toString('utf8').trim();
  } catch {
    return '';
  }
}

function lines(text: string): string[] {
  return text.split('\n');
}
