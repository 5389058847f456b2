/**
 * Taking snapshots and keeping the newest two in a directory, so that one exists while the next is written.
 *
 * A file is written under a temporary name, forced to the disk, and renamed. It is used only if its bytes have the hash
 * at its end, and only by the code that wrote it.
 */
import { createHash, hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MACHINE_NAMES } from '../../../machines/index.ts';
import { createFresh, lastBytes, readRegular } from '../../base/regular-files.ts';
import { messageOf } from '../../contracts/errors.ts';
import { CODE_ROOT, VERSION } from '../../version.ts';
import { linesOf, type Snapshot, snapshotOf } from './snapshot.ts';

export interface SnapshotStore {
  /** The newest usable snapshot; null if there is none. Never throws. */
  load(): Promise<Snapshot | null>;
  /** @throws if writing fails; earlier snapshots are still there then */
  save(snapshot: Snapshot): Promise<void>;
  drop(): Promise<void>;
}

const SUFFIX = '.snapshot';
const KEPT = 2;
/** The largest that is read: a log with more tasks in memory is read from its beginning. */
const MAX_SNAPSHOT_BYTES = 2 ** 31 - 1;
/** A line break, and the line with the hash. */
const END_BYTES = 66;
/** Lines that are written without a pause: one or two milliseconds. */
const SLICE = 200;

export class SnapshotDirectory implements SnapshotStore {
  readonly #directory: string;
  readonly #code: string;
  readonly #logger: Logger;

  /** @param code identifies the code that writes and reads the snapshots; others are ignored */
  constructor(directory: string, code: string, logger: Logger) {
    this.#directory = directory;
    this.#code = code;
    this.#logger = logger;
  }

  async load(): Promise<Snapshot | null> {
    for (const name of await this.#names()) {
      const file = join(this.#directory, name);
      try {
        const snapshot = parse(await bytesOf(file), this.#code);
        if (snapshot) return snapshot;
        this.#logger.info({ file }, 'another version wrote this snapshot: ignored');
      } catch (error) {
        this.#logger.warn({ file, reason: messageOf(error) }, 'this snapshot is damaged: ignored');
      }
    }
    return null;
  }

  async save(snapshot: Snapshot): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const name = `${String(snapshot.at.tip.sequence).padStart(16, '0')}${SUFFIX}`;
    const temporary = join(this.#directory, `${name}.tmp`);
    await write(temporary, snapshot, this.#code);
    await rename(temporary, join(this.#directory, name));
    const outdated = (await this.#names()).slice(KEPT);
    await Promise.all(
      outdated.map((each) => rm(join(this.#directory, each), { recursive: true, force: true })),
    );
  }

  async drop(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Newest first. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.#directory).catch(() => []);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
      .reverse();
  }
}

async function write(file: string, snapshot: Snapshot, code: string): Promise<void> {
  const digest = createHash('sha256');
  const handle = await createFresh(file);
  try {
    const put = async (lines: readonly string[]): Promise<void> => {
      const text = `${lines.join('\n')}\n`;
      digest.update(text);
      await handle.writeFile(text);
    };
    await put([JSON.stringify({ code })]);
    for (const slice of slices(linesOf(snapshot))) {
      await put(slice);
      await nextTurn();
    }
    await handle.writeFile(`${digest.digest('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function* slices(lines: Iterable<string>): Iterable<string[]> {
  let slice: string[] = [];
  for (const line of lines) {
    slice.push(line);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

/** @throws Error if it is not a file of the size and form of a snapshot: something else was put in its place */
async function bytesOf(file: string): Promise<Buffer> {
  // Before all of it is read into memory.
  if (!/\n[0-9a-f]{64}\n$/.test((await lastBytes(file, END_BYTES)).toString('latin1'))) {
    throw new Error('it has no hash at its end');
  }
  const bytes = await readRegular(file, MAX_SNAPSHOT_BYTES);
  if (bytes === null) throw new Error('it is gone');
  return bytes;
}

/** null if other code wrote it. @throws Error if it is damaged */
function parse(bytes: Buffer, code: string): Snapshot | null {
  const end = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  const body = bytes.subarray(0, end);
  if (hash('sha256', body, 'hex') !== bytes.subarray(end).toString().trimEnd()) {
    throw new Error('its bytes do not have the hash at its end');
  }
  const [header = '', ...lines] = body.toString().split('\n');
  if ((JSON.parse(header) as { code: string }).code !== code) return null;
  return snapshotOf(lines.slice(0, -1));
}

export interface SnapshotterOptions {
  readonly store: SnapshotStore;
  /** Events between two snapshots. */
  readonly every: number;
  /** Entities to write: a large state is written less often than a small one. */
  readonly size: () => number;
  readonly capture: () => Snapshot;
  readonly logger: Logger;
}

/** Takes a snapshot from time to time, while everything else goes on. */
export class Snapshotter {
  readonly #options: SnapshotterOptions;
  #since = 0;
  #saving: Promise<void> | null = null;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  /** Call it after all others have seen the record. */
  onRecord(): void {
    this.#since++;
    if (this.#saving || this.#since < this.#options.every || this.#since < this.#options.size()) return;
    this.#saving = this.#save().finally(() => {
      this.#saving = null;
    });
  }

  /** Deletes all snapshots, because of what they contain. @throws if deleting fails */
  async drop(): Promise<void> {
    while (this.#saving) await this.#saving;
    const dropped = this.#options.store.drop();
    this.#saving = dropped
      .catch(() => {})
      .finally(() => {
        this.#saving = null;
      });
    await dropped;
  }

  /** Takes a last snapshot if there were records since the newest one. */
  async close(): Promise<void> {
    await this.#saving;
    if (this.#since > 0) await this.#save();
  }

  /** Never rejects. */
  async #save(): Promise<void> {
    const { store, capture, logger } = this.#options;
    this.#since = 0;
    try {
      const snapshot = capture();
      await store.save(snapshot);
      logger.debug({ sequence: snapshot.at.tip.sequence }, 'snapshot taken');
    } catch (error) {
      logger.warn({ err: error }, `could not take a snapshot: ${messageOf(error)}`);
    }
  }
}

/** The folders whose code decides the state after an event. */
const FOLDERS = ['machines', 'projections', 'src/contracts', 'src/base', 'src/engine/runtime'] as const;

/**
 * Identifies the code that turns events into state: changes with every change of a machine, a projection or what they
 * use, also during development. If the files do not exist, as in a bundle, only the version counts.
 */
export function codeFingerprint(): string {
  const digest = createHash('sha256').update(VERSION).update(JSON.stringify(MACHINE_NAMES));
  for (const folder of FOLDERS) {
    for (const name of sourcesIn(join(CODE_ROOT, folder)))
      digest.update(name).update(readFileSync(join(CODE_ROOT, folder, name)));
  }
  return digest.digest('hex');
}

function sourcesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /(?<!\.d)\.[jt]s$/.test(name)).sort();
}
