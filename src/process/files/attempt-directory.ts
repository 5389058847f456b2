/** The directory of one attempt: what was asked for, and the launcher's records of what became of it. */
import { readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type ExitRecord, parseExitRecord } from './exit.ts';

const specSchema = z.object({
  command: z.array(z.string()).readonly(),
  cwd: z.string(),
  marker: z.string(),
  maxOutputBytes: z.int(),
  host: z.string(),
  bootId: z.string().optional(),
});
/** What is stored about a spawn: not its environment, which holds secrets. */
export type SpecRecord = Readonly<z.output<typeof specSchema>>;

export interface RecordedExit extends ExitRecord {
  /** Epoch milliseconds. */
  readonly recordedAt: number;
  readonly execFailed: boolean;
}

export const SPEC_FILE = 'spec.json';
const ABANDONED = 'abandoned\n';

/**
 * The files of one attempt; launcher.sh lists who writes which. The launcher's small records are read synchronously:
 * they were just written, so the system has them in memory, and the read takes 20 µs instead of 200.
 */
export class AttemptDirectory {
  readonly path: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Errors from before the launcher runs. The launcher writes its own to another file, whose size has a meaning. */
  readonly launchErrors: string;

  constructor(path: string) {
    this.path = path;
    this.stdout = join(path, 'stdout.log');
    this.stderr = join(path, 'stderr.log');
    this.launchErrors = join(path, 'launch.err');
  }

  /** @throws SignalboxError `spawn_failed` if the directory was used before or cannot be written */
  async create(record: SpecRecord): Promise<void> {
    try {
      const made = await mkdir(this.path, { recursive: true, mode: 0o700 });
      if (made === undefined) await chmod(this.path, 0o700);
      await writeFile(this.#file(SPEC_FILE), `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      const used = hasCode(error, 'EEXIST');
      const why = used
        ? 'it holds an earlier process: give every attempt its own directory'
        : messageOf(error);
      throw new SignalboxError('spawn_failed', `cannot start a process in ${this.path}: ${why}`, {
        details: { reason: used ? 'directory_used' : 'system' },
        cause: error,
      });
    }
  }

  /** Undefined if the file is missing or incomplete: then nothing was started. */
  readSpec(): SpecRecord | undefined {
    return parseSpec(this.#read(SPEC_FILE) ?? '');
  }

  /** Creates the file that a launcher must create before it starts anything. True if no launcher had created it. */
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

  /** The line by which the launcher or the agent identified itself; undefined while it is incomplete. */
  readRecord(file: 'launcher' | 'agent'): string | undefined {
    const text = this.#read(file);
    return text?.endsWith('\n') ? text : undefined;
  }

  /** Epoch milliseconds. */
  startedAt(): number | undefined {
    return this.#modifiedAt('agent');
  }

  /** Undefined if the record is not complete yet. */
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
      // While waiting for a file it is usually missing, and an exception costs more than this check.
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

/** The content of {@link SPEC_FILE}; undefined if the text is anything else or incomplete. */
export function parseSpec(text: string): SpecRecord | undefined {
  try {
    return specSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
