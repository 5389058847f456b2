import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { uptime } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { MS_PER_TICK, markersIn, parseMemory, parseStat } from './proc-files.ts';
import {
  isAlive,
  type Memory,
  type ProcessEntry,
  type ProcessKey,
  type ProcessTable,
} from './process-table.ts';

/** A scan gives way to other work after this time; reading one file of /proc takes about 10 µs. */
const SLICE_MS = 2;
/** Reached only where processes come and go faster than one list is read. */
const PASSES_MAX = 20;
const READ_CHUNK_BYTES = 64 * 1024;
const COMMAND_LINE_CHARACTERS_MAX = 300;

/**
 * Processes from /proc. Reads are synchronous: the kernel answers from memory, in a fifth of the time that the thread
 * pool takes for the same read.
 *
 * T1. The list of pids and their files are not read in one moment. A process that was listed and has ended when it is read
 *     may have forked in between, so then the list is read again. The kernel lists by pid, and a child has a higher pid
 *     than its parent, so a list shows at least one member of a chain of processes that hand over to each other.
 *     The youngest are read last, so that what was seen of them is still true when the scan ends.
 */
export class LinuxProcessTable implements ProcessTable {
  readonly #chunk = Buffer.allocUnsafeSlow(READ_CHUNK_BYTES);
  #bootId: string | undefined;

  async scan(query: { readonly markersSince?: string }): Promise<readonly ProcessEntry[]> {
    const since = query.markersSince === undefined ? Number.POSITIVE_INFINITY : Number(query.markersSince);
    const entries: ProcessEntry[] = [];
    const read = new Set<number>();
    let sliceEnd = performance.now() + SLICE_MS;
    for (let passes = 0, missed = true; missed && passes < PASSES_MAX; passes += 1) {
      missed = false;
      for (const pid of this.#pids()) {
        if (read.has(pid)) continue;
        read.add(pid);
        const entry = this.lookup(pid);
        missed ||= !isAlive(entry); // T1
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
    return text === undefined || text === '' ? undefined : text.slice(0, COMMAND_LINE_CHARACTERS_MAX);
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
        `/proc cannot be read (${messageOf(error)}): mount it, Signalbox needs it`,
      );
    }
  }

  #withMarkers(entry: ProcessEntry): ProcessEntry {
    const environment = this.#read(`/proc/${entry.pid}/environ`);
    const markers = environment === undefined ? [] : markersIn(environment);
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
