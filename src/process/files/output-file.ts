import { appendFileSync, closeSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, open, rename, rm, truncate } from 'node:fs/promises';
import type { Logger } from 'pino';
import { messageOf } from '../../contracts/errors.ts';

const COPY_BYTES = 1024 * 1024;
/** How much of what was written to a file since its copy ended is taken over with it, though it is still being written. */
const REST_BYTES_MAX = 4 * COPY_BYTES;
/** How long a copy runs after a process that writes faster than it reads, before the rest is cut off. */
const PURSUIT_MS_MAX = 250;
/** How many times its cap a file may be that is written to faster. */
const OUTGROWN_MAX = 16;
/** How much of the beginning is kept for good: many programs name there what they work under. */
const HEAD_BYTES = 64 * 1024;

/**
 * One output file of a process, kept below a cap.
 *
 * A file that outgrew the cap between two looks has its newest part (as much as the cap) copied to `FILE.1` and is then
 * emptied; the process goes on at the new end, since it appends. What it writes between the last read of the copy and the
 * truncation is lost: some microseconds per rotation, or more where it writes faster than a disk is read. Between two
 * looks a file can outgrow the cap. After the end the file itself keeps the newest part. Before the first cut its first
 * 64 KiB go to `FILE.head`. So at most twice the cap stays, and that.
 */
export class OutputFile {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #log: Logger;
  #size = 0;
  #droppedBytes = 0;
  #modifiedAt: number | undefined;

  constructor(path: string, maxBytes: number, log: Logger) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#log = log;
  }

  get bytes(): number {
    return this.#droppedBytes + this.#size;
  }

  /** Epoch milliseconds of the latest write; undefined if there was none. */
  get lastOutputAt(): number | undefined {
    return this.#modifiedAt;
  }

  /** Looks at the file and rotates it if it is too large. */
  async look(): Promise<void> {
    this.#measure();
    if (this.#size <= this.#maxBytes) return;
    await this.#keepHead();
    const copied = await this.#copy();
    // From here on in one turn: what is written between the last read and the emptying is lost.
    this.#measure();
    const isAtRest = !copied || this.#size - copied.end <= COPY_BYTES;
    // Whoever writes faster than it is read is left alone for now: the next look may find it at rest.
    if (!isAtRest && this.#size < this.#maxBytes * OUTGROWN_MAX) return;
    if (copied) renameSync(this.#copyPath, `${this.path}.1`);
    this.#droppedBytes += copied ? appendRest(this.path, `${this.path}.1`, copied.end) : this.#size;
    truncateSync(this.path, 0); // without a copy too: the cap protects the disk
    this.#size = 0;
  }

  /** The last look, when nobody writes any more. */
  async close(): Promise<void> {
    this.#measure();
    if (this.#size > this.#maxBytes) {
      await this.#keepHead();
      if (await this.#copy()) await rename(this.#copyPath, this.path);
      else await truncate(this.path, this.#maxBytes);
      this.#droppedBytes += this.#size - this.#maxBytes;
      this.#size = this.#maxBytes;
    }
    await rm(this.#copyPath, { force: true });
  }

  get #copyPath(): string {
    return `${this.path}.copy`;
  }

  #measure(): void {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.size > 0) this.#modifiedAt = Math.floor(stats.mtimeMs);
    this.#size = stats.size;
  }

  /** Once: whatever is cut later is no beginning any more. */
  async #keepHead(): Promise<void> {
    const head = `${this.path}.head`;
    if (statSync(head, { throwIfNoEntry: false }) !== undefined) return;
    await copyHead(this.path, head).catch((error: unknown) => {
      this.#log.warn({ file: this.path, err: error }, 'the beginning of an output cannot be kept');
    });
  }

  /** The newest part, as a file of its own; undefined if it could not be written. */
  async #copy(): Promise<Copied | undefined> {
    try {
      return await copyNewest(this.path, this.#copyPath, this.#maxBytes);
    } catch (error) {
      const why = `output is dropped, it cannot be copied: ${messageOf(error)}`;
      this.#log.warn({ file: this.path, err: error }, why);
      await rm(this.#copyPath, { recursive: true, force: true });
      return undefined;
    }
  }
}

interface Copied {
  /** How far into the file it went. */
  readonly end: number;
}

/**
 * Copies the newest bytes of a file that may grow meanwhile, up to where it ends: whatever is left behind when it is
 * emptied next is lost, and the last thing that a process writes is what counts most.
 */
async function copyNewest(path: string, target: string, maxBytes: number): Promise<Copied> {
  const source = await open(path, 'r');
  try {
    const copy = await open(target, 'w', 0o600);
    try {
      const until = performance.now() + PURSUIT_MS_MAX;
      let start = Math.max(0, (await source.stat()).size - maxBytes);
      for (let end = start; ; ) {
        const { size } = await source.stat();
        if (end > start && (size === end || performance.now() > until)) return { end };
        if (size - end > maxBytes) {
          start = size - maxBytes;
          end = start;
          await copy.truncate(0);
        }
        end = await copyStretch(source, copy, { from: end, to: size, at: end - start });
      }
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

/**
 * What was written since the copy ended, up to a limit. Synchronous, and right before the file is emptied: the last word
 * of a program often comes a moment after a long output. Returns how long the file was.
 */
function appendRest(path: string, target: string, end: number): number {
  const source = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(HEAD_BYTES);
    let position = end;
    for (let bytes = 1; bytes > 0 && position < end + REST_BYTES_MAX; position += bytes) {
      bytes = readSync(source, buffer, 0, buffer.length, position);
      if (bytes > 0) appendFileSync(target, buffer.subarray(0, bytes));
    }
    return position;
  } finally {
    closeSync(source);
  }
}

async function copyHead(path: string, target: string): Promise<void> {
  const source = await open(path, 'r');
  try {
    const copy = await open(target, 'w', 0o600);
    try {
      await copyStretch(source, copy, { from: 0, to: HEAD_BYTES, at: 0 });
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Where it goes in the other file. */
  readonly at: number;
}

/** Returns where it stopped: where it should, or at the end of the file. */
async function copyStretch(source: FileHandle, copy: FileHandle, { from, to, at }: Stretch): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, to - from));
  let position = from;
  while (position < to) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, to - position), position);
    if (bytesRead === 0) break;
    await copy.write(buffer, 0, bytesRead, at + position - from);
    position += bytesRead;
  }
  return position;
}
