import { readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type ExitRecord, parseExitRecord } from './exit-record.ts';

/** What is remembered of a spawn, without its environment, which holds secrets. */
export interface SpecRecord {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly marker: string;
  readonly maxOutputBytes: number;
  readonly host: string;
  readonly bootId?: string;
}

export interface RecordedExit extends ExitRecord {
  /** Epoch milliseconds. */
  readonly recordedAt: number;
  readonly execFailed: boolean;
}

/** Holds what was asked for. */
export const SPEC_FILE = 'spec.json';
const ABANDONED = 'abandoned\n';

/**
 * The files of one attempt; launcher.sh says who writes what. The launcher's small records are read synchronously: they
 * are in memory, since they were written just now, and the read takes 20 µs instead of 200.
 */
export class AttemptDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get stdout(): string {
    return join(this.path, 'stdout.log');
  }

  get stderr(): string {
    return join(this.path, 'stderr.log');
  }

  /** Takes what is said before the launcher takes over; its own words go to another file, whose size has a meaning. */
  get launchErrors(): string {
    return this.#file('launch.err');
  }

  /** @throws SignalboxError `spawn_failed` if the directory was used before or cannot be written */
  async create(record: SpecRecord): Promise<void> {
    try {
      const made = await mkdir(this.path, { recursive: true, mode: 0o700 });
      if (made === undefined) await chmod(this.path, 0o700);
      await writeFile(this.#file(SPEC_FILE), `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      const used = hasCode(error, 'EEXIST');
      const why = used ? 'it holds an earlier one: give every attempt its own' : messageOf(error);
      throw new SignalboxError('spawn_failed', `no process can be started in ${this.path}: ${why}`, {
        details: { reason: used ? 'directory_used' : 'system' },
        cause: error,
      });
    }
  }

  /** Undefined if it is missing or was written only in part: then nothing was started. */
  readSpec(): SpecRecord | undefined {
    return parseSpec(this.#read(SPEC_FILE) ?? '');
  }

  /** Creates the file that a launcher must create before it starts anything. True if no launcher did so before. */
  async abandon(): Promise<boolean> {
    try {
      await writeFile(this.#file('launcher'), ABANDONED, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return true; // no directory, hence no launcher
      if (!hasCode(error, 'EEXIST')) throw error;
      return this.#read('launcher') === ABANDONED;
    }
  }

  /** The line by which the launcher or the agent identified itself, once it is complete. */
  readRecord(file: 'launcher' | 'agent'): string | undefined {
    const text = this.#read(file);
    return text?.endsWith('\n') ? text : undefined;
  }

  /** Epoch milliseconds. */
  startedAt(): number | undefined {
    return this.#modifiedAt('agent');
  }

  /** Undefined as long as the record is not complete. */
  readExit(): RecordedExit | undefined {
    const text = this.#read('exit');
    const record = text === undefined ? undefined : parseExitRecord(text);
    if (record === undefined) return undefined;
    const recordedAt = this.#modifiedAt('exit') ?? Date.now();
    const execFailed = record.status !== 0 && this.#read('exec-failed') !== undefined;
    return { ...record, recordedAt, execFailed };
  }

  readLauncherErrors(): string {
    return `${this.#read('launch.err') ?? ''}${this.#read('launcher.err') ?? ''}`.trim();
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  #read(name: string): string | undefined {
    try {
      // A missing file is the usual case while one waits for it, and an exception takes longer than the look.
      const exists = statSync(this.#file(name), { throwIfNoEntry: false }) !== undefined;
      return exists ? readFileSync(this.#file(name), 'utf8') : undefined;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #modifiedAt(name: string): number | undefined {
    const stats = statSync(this.#file(name), { throwIfNoEntry: false });
    return stats === undefined ? undefined : Math.floor(stats.mtimeMs);
  }
}

/** What stands in {@link SPEC_FILE}; undefined for anything else, or a part of it. */
export function parseSpec(text: string): SpecRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isSpecRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSpecRecord(value: unknown): value is SpecRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof SpecRecord, unknown>> = value;
  return (
    Array.isArray(record.command) &&
    record.command.every((part) => typeof part === 'string') &&
    typeof record.cwd === 'string' &&
    typeof record.marker === 'string' &&
    Number.isInteger(record.maxOutputBytes) &&
    typeof record.host === 'string' &&
    (record.bootId === undefined || typeof record.bootId === 'string')
  );
}
