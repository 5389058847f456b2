/**
 * Snapshots in a directory: the newest two, so that one is there while the next is written.
 *
 * S3 A file is whole or it is not there under its name: it is written beside, forced to the disk, and renamed.
 * S4 A file is used only if its bytes have the hash that stands at its end, and only by the code that wrote it.
 */
import { createHash, hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import { linesOf, type Snapshot, snapshotOf } from './snapshot.ts';

export interface SnapshotStore {
  /** The newest that can be used; null where there is none. Never throws: a snapshot only saves time. */
  load(): Promise<Snapshot | null>;
  /** @throws what writing throws; an earlier snapshot is still there then */
  save(snapshot: Snapshot): Promise<void>;
  /** Forgets all. */
  drop(): Promise<void>;
}

const SUFFIX = '.snapshot';
const KEPT = 2;
/** Lines that are made and written at one go: a millisecond or two, in which nothing else happens. */
const SLICE = 200;

export class SnapshotDirectory implements SnapshotStore {
  readonly #directory: string;
  readonly #code: string;
  readonly #logger: Logger;

  /** @param code names the code that makes and reads the snapshots: another value leaves those there are aside */
  constructor(directory: string, code: string, logger: Logger) {
    this.#directory = directory;
    this.#code = code;
    this.#logger = logger;
  }

  async load(): Promise<Snapshot | null> {
    for (const name of await this.#names()) {
      const file = join(this.#directory, name);
      try {
        const snapshot = parse(await readFile(file), this.#code);
        if (snapshot) return snapshot;
        this.#logger.info({ file }, 'another version wrote this snapshot: it is left aside');
      } catch (error) {
        this.#logger.warn({ file, reason: messageOf(error) }, 'this snapshot is damaged: it is left aside');
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
    await Promise.all(outdated.map((each) => rm(join(this.#directory, each), { force: true })));
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
  const handle = await open(file, 'w', 0o600);
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

/** null where other code wrote it. @throws Error for a damaged one */
function parse(bytes: Buffer, code: string): Snapshot | null {
  const end = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  const body = bytes.subarray(0, end);
  if (hash('sha256', body, 'hex') !== bytes.subarray(end).toString().trimEnd()) {
    throw new Error('its bytes do not have the hash that stands at its end');
  }
  const [header = '', ...lines] = body.toString().split('\n');
  if ((JSON.parse(header) as { code: string }).code !== code) return null;
  return snapshotOf(lines.slice(0, -1));
}
