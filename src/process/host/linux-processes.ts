/** The processes of a Linux machine, from /proc. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { uptime } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { MARKER_VARIABLE, splitMarkers } from '../markers.ts';
import {
  isAlive,
  type Memory,
  type ProcessEntry,
  type ProcessKey,
  type ProcessTable,
} from './process-table.ts';

/** A scan lets other work run after this time; reading one file of /proc takes about 10 µs. */
const SLICE_MS = 2;
/** Reached only if processes start and end faster than one list is read. */
const MAX_PASSES = 20;
const READ_CHUNK_BYTES = 64 * 1024;
const MAX_COMMAND_LINE_LENGTH = 300;
/** The kernel counts CPU and start times in hundredths of a second on every architecture that Node runs on (USER_HZ). */
const MS_PER_TICK = 10;
/** Kernel flag PF_FORKNOEXEC: the process was forked and has not executed a program of its own. */
const FORKED_NOT_EXECUTED = 0x40;

/**
 * Processes from /proc. Reads are synchronous: the kernel answers from memory, in a fifth of the time that the thread
 * pool takes for the same read.
 *
 * The list of pids and the files of each are not read at the same moment. A process that was listed and has ended when its
 * file is read may have forked in between, so then the list is read again. The kernel lists by pid, and a child has a
 * higher pid than its parent, so a list shows at least one member of a chain of processes that start each other. The
 * youngest are read last, so what was seen of them is still true when the scan ends.
 */
export class LinuxProcessTable implements ProcessTable {
  readonly #chunk = Buffer.allocUnsafeSlow(READ_CHUNK_BYTES);
  #bootId: string | undefined;

  async scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]> {
    const since = query.markersSince === undefined ? Number.POSITIVE_INFINITY : Number(query.markersSince);
    const entries: ProcessEntry[] = [];
    const read = new Set<number>();
    let sliceEnd = performance.now() + SLICE_MS;
    for (let passes = 0, missed = true; missed && passes < MAX_PASSES; passes += 1) {
      missed = false;
      for (const pid of this.#pids()) {
        if (read.has(pid)) continue;
        read.add(pid);
        const entry = this.lookup(pid);
        missed ||= !isAlive(entry);
        if (entry !== undefined) {
          entries.push(Number(entry.startTime) >= since ? this.#withMarkers(entry) : entry);
        }
        if (performance.now() < sliceEnd) continue;
        await nextTurn();
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    return entries;
  }

  lookup(pid: number): ProcessEntry | undefined {
    const text = this.#read(`/proc/${pid}/stat`);
    return text === undefined ? undefined : parseStat(text.toString('latin1'));
  }

  parseRecord(line: string): ProcessKey | undefined {
    const entry = parseStat(line);
    return entry === undefined ? undefined : { pid: entry.pid, startTime: entry.startTime };
  }

  ageMs({ startTime }: ProcessKey): number {
    return Math.max(0, Math.round(uptime() * 1000) - Number(startTime) * MS_PER_TICK);
  }

  async commandLine(pid: number): Promise<string | undefined> {
    const text = this.#read(`/proc/${pid}/cmdline`)?.toString('utf8').replaceAll('\0', ' ').trim();
    return text === undefined || text === '' ? undefined : text.slice(0, MAX_COMMAND_LINE_LENGTH);
  }

  memory(pid: number): Memory | undefined {
    const text = this.#read(`/proc/${pid}/status`);
    return text === undefined ? undefined : parseMemory(text.toString('latin1'));
  }

  bootId(): string | undefined {
    this.#bootId ??= this.#read('/proc/sys/kernel/random/boot_id')?.toString('latin1').trim();
    return this.#bootId;
  }

  #pids(): number[] {
    try {
      return readdirSync('/proc').map(Number).filter(Number.isInteger);
    } catch (error) {
      throw new SignalboxError(
        'internal',
        `cannot read /proc (${messageOf(error)}): mount it, Signalbox needs it`,
      );
    }
  }

  markers(pid: number): readonly string[] | undefined {
    const environment = this.#read(`/proc/${pid}/environ`);
    return environment === undefined ? undefined : markersIn(environment);
  }

  #withMarkers(entry: ProcessEntry): ProcessEntry {
    const markers = this.markers(entry.pid) ?? [];
    return markers.length === 0 ? entry : { ...entry, markers };
  }

  /** The file's bytes, valid until the next read; undefined if the process is gone or belongs to another user. */
  #read(path: string): Buffer | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch {
      return undefined;
    }
    try {
      const length = readSync(descriptor, this.#chunk, 0, this.#chunk.length, null);
      return length < this.#chunk.length ? this.#chunk.subarray(0, length) : readFileSync(path);
    } catch {
      return undefined;
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Fields of /proc/PID/stat after the name, which may hold spaces and parentheses. Numbers as in proc(5), less 3. */
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

/** A process from a line of /proc/PID/stat; undefined if the text is not such a line. */
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

/** The markers in the bytes of /proc/PID/environ, whose entries end in NUL. */
export function markersIn(environment: Buffer): string[] {
  let start = environment.indexOf(MARKER_PREFIX);
  while (start > 0 && environment[start - 1] !== 0) start = environment.indexOf(MARKER_PREFIX, start + 1);
  if (start < 0) return [];
  const end = environment.indexOf(0, start);
  return splitMarkers(
    environment.toString('latin1', start + MARKER_PREFIX.length, end < 0 ? undefined : end),
  );
}
