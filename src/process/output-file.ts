import { statSync } from 'node:fs';
import { open, rename, rm, truncate } from 'node:fs/promises';
import type { Logger } from 'pino';
import { messageOf } from '../contracts/errors.ts';

const COPY_BYTES = 1024 * 1024;
/** How much of the beginning is kept for good: many programs name there what they work under. */
const HEAD_BYTES = 64 * 1024;

/**
 * One output file of a process, kept below a cap.
 *
 * A file that outgrew the cap between two looks has its newest part (as much as the cap) copied to `FILE.1` and is then
 * emptied; the process goes on at the new end, since it appends. What it writes between the last read of the copy and the
 * truncation is lost: some microseconds per rotation. Between two looks a file can outgrow the cap. After the end
 * the file itself keeps the newest part. Before the first cut its first 64 KiB go to `FILE.head`. So at most twice the
 * cap stays, and that.
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
    const end = await this.#copyNewest(`${this.path}.1`);
    await truncate(this.path, 0); // without a copy too: the cap protects the disk
    this.#droppedBytes += end ?? this.#size;
    this.#size = 0;
  }

  /** The last look, when nobody writes any more. */
  async close(): Promise<void> {
    this.#measure();
    if (this.#size <= this.#maxBytes) return;
    await this.#keepHead();
    const end = await this.#copyNewest(this.path);
    if (end === undefined) await truncate(this.path, this.#maxBytes);
    this.#droppedBytes += this.#size - this.#maxBytes;
    this.#size = this.#maxBytes;
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
    await copyFrom(this.path, head, 0, HEAD_BYTES).catch((error: unknown) => {
      this.#log.warn({ file: this.path, err: error }, 'the beginning of an output cannot be kept');
    });
  }

  /** How far into the file the copy went; undefined if it could not be written. */
  async #copyNewest(target: string): Promise<number | undefined> {
    const copy = `${this.path}.copy`;
    try {
      const end = await copyFrom(this.path, copy, this.#size - this.#maxBytes, this.#size + this.#maxBytes);
      await rename(copy, target);
      return end;
    } catch (error) {
      this.#log.warn(
        { file: this.path, err: error },
        `output is dropped, it cannot be copied: ${messageOf(error)}`,
      );
      await rm(copy, { recursive: true, force: true });
      return undefined;
    }
  }
}

/** Copies from `start` to the end of the file, which may grow, but not beyond `limit`. Returns where it stopped. */
async function copyFrom(path: string, target: string, start: number, limit: number): Promise<number> {
  const source = await open(path, 'r');
  try {
    const copy = await open(target, 'w', 0o600);
    try {
      const buffer = Buffer.allocUnsafe(COPY_BYTES);
      let position = start;
      while (position < limit) {
        const { bytesRead } = await source.read(buffer, 0, Math.min(COPY_BYTES, limit - position), position);
        if (bytesRead === 0) break;
        await copy.write(buffer, 0, bytesRead);
        position += bytesRead;
      }
      return position;
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}
