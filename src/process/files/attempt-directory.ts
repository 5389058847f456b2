/** The directory of one attempt: what was asked for, and the launcher's records of what became of it. */
import { chmod, type FileHandle, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createFresh, readSmallSync, type SmallFile, statRegularSync } from '../../base/regular-files.ts';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { CONTAINMENTS } from '../../contracts/processes/containment.ts';
import type { SpawnFailure } from '../runner.ts';
import { type ExitRecord, parseExitRecord } from './exit.ts';

const specSchema = z.object({
  command: z.array(z.string()).readonly(),
  cwd: z.string(),
  marker: z.string(),
  maxOutputBytes: z.int(),
  inputStays: z.boolean().optional(),
  host: z.string(),
  bootId: z.string().optional(),
  /** Absent: an earlier version started it. */
  containment: z.enum(CONTAINMENTS).optional(),
  /** The cgroup of the command, if there is one. */
  cgroup: z.string().optional(),
});
/** What is stored about a spawn: not its environment, which holds secrets. */
export type SpecRecord = Readonly<z.output<typeof specSchema>>;

export interface RecordedExit extends ExitRecord {
  /** Epoch milliseconds. */
  readonly recordedAt: number;
  readonly execFailed: boolean;
}

export const SPEC_FILE = 'spec.json';
const LAUNCH_ERRORS = 'launch.err';
const ABANDONED = 'abandoned\n';
const NONE_LEFT = 'none left\n';
/** No system starts a longer command. */
const MAX_SPEC_BYTES = 4 * 1_024 * 1_024;
/** Of any other record. */
const MAX_RECORD_BYTES = 64 * 1_024;

/**
 * The files of one attempt; launcher.sh lists who writes which. The agent can replace each of them by anything, and take
 * away the rights to read it: what cannot be read as a small regular file counts as missing, and nothing that a record says
 * counts against the process table.
 *
 * The launcher's small records are read synchronously: they were just written, so the system has them in memory, and the
 * read takes 20 µs instead of 200.
 */
export class AttemptDirectory {
  readonly path: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Why a record that may be there could not be read, the last time that one was looked for. */
  fault: string | undefined;

  constructor(path: string) {
    this.path = path;
    this.stdout = join(path, 'stdout.log');
    this.stderr = join(path, 'stderr.log');
  }

  /** @throws SignalboxError `spawn_failed` if the directory was used before or cannot be written */
  async create(record: SpecRecord): Promise<void> {
    try {
      const made = await mkdir(this.path, { recursive: true, mode: 0o700 });
      if (made === undefined) await chmod(this.path, 0o700);
      await writeFile(this.#file(SPEC_FILE), `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw unusable(this.path, 'system', messageOf(error), error);
      const why = 'it holds an earlier process: give every attempt its own directory';
      throw unusable(this.path, 'directory_used', why, error);
    }
  }

  /**
   * A file for errors from before the launcher runs, open: another process may already have put something in its place
   * that blocks an open. The launcher writes its own errors to another file, whose size has a meaning.
   * @throws SignalboxError `spawn_failed`
   */
  async createErrors(): Promise<FileHandle> {
    return createFresh(this.#file(LAUNCH_ERRORS)).catch((error: unknown) => {
      throw unusable(this.path, 'system', messageOf(error), error);
    });
  }

  /** Undefined if the file is missing or incomplete: then nothing was started. */
  readSpec(): SpecRecord | undefined {
    return parseSpec(this.#read(SPEC_FILE, MAX_SPEC_BYTES)?.text ?? '');
  }

  /**
   * Creates the file that a launcher must create before it starts anything. True if no launcher had created it.
   * @throws errors of the system, if the file can neither be created nor read
   */
  async abandon(): Promise<boolean> {
    try {
      await writeFile(this.#file('launcher'), ABANDONED, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return true; // no directory, hence no launcher
      if (!hasCode(error, 'EEXIST')) throw error;
      return this.#read('launcher')?.text === ABANDONED;
    }
  }

  /** The line by which the launcher or the agent identified itself; undefined while it is incomplete. */
  readRecord(file: 'launcher' | 'agent'): string | undefined {
    const text = this.#read(file)?.text;
    return text?.endsWith('\n') ? text : undefined;
  }

  /** Epoch milliseconds. */
  startedAt(): number | undefined {
    return this.#read('agent')?.modifiedAt;
  }

  /** Undefined if the record is not complete yet. */
  readExit(): RecordedExit | undefined {
    const file = this.#read('exit');
    const record = file === undefined ? undefined : parseExitRecord(file.text);
    if (file === undefined || record === undefined) return undefined;
    const execFailed = record.status !== 0 && statRegularSync(this.#file('exec-failed')) !== undefined;
    return { ...record, recordedAt: file.modifiedAt, execFailed };
  }

  /** Whether the launcher, as the parent of all orphans, has noted that no process is left. */
  saysNoneLeft(): boolean {
    return this.#read('none-left')?.text === NONE_LEFT;
  }

  readLauncherErrors(): string {
    const texts = [LAUNCH_ERRORS, 'launcher.err'].map((name) => this.#read(name)?.text ?? '');
    return texts.join('').trim();
  }

  #file(name: string): string {
    return join(this.path, name);
  }

  #read(name: string, maxBytes = MAX_RECORD_BYTES): SmallFile | undefined {
    this.fault = undefined;
    try {
      return readSmallSync(this.#file(name), maxBytes);
    } catch (error) {
      this.fault = messageOf(error);
      return undefined;
    }
  }
}

function unusable(path: string, reason: SpawnFailure, why: string, cause: unknown): SignalboxError {
  return new SignalboxError('spawn_failed', `cannot start a process in ${path}: ${why}`, {
    details: { reason },
    cause,
  });
}

/** The content of {@link SPEC_FILE}; undefined if the text is anything else or incomplete. */
export function parseSpec(text: string): SpecRecord | undefined {
  try {
    return specSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
