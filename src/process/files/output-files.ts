/** The output files of a process, kept below a size cap. Long because a rotation is understood only as a whole. */
import { closeSync, ftruncateSync, readSync, renameSync, writeSync } from 'node:fs';
import { type FileHandle, rename, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  createFresh,
  NotRegularError,
  openForAppendSync,
  openForWritingSync,
  openRegular,
  openRegularSync,
  statRegularSync,
} from '../../base/regular-files.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { OutputBytes } from '../runner.ts';
import type { AttemptDirectory } from './attempt-directory.ts';
import { rotatedBytes } from './rotated-bytes.ts';

const COPY_BYTES = 1024 * 1024;
/** How much of what was written since the end of the copy is appended to it while the process keeps writing. */
const MAX_REST_BYTES = 4 * COPY_BYTES;
/** How long a copy follows a process that writes faster than the copy reads, before the rest is cut off. */
const MAX_COPY_MS = 250;
/** A file may grow to this many times its cap while it is written faster than it can be copied. */
const MAX_OVERGROWTH = 16;
/** How much of the beginning is kept for good: many programs print their session there. */
const HEAD_BYTES = 64 * 1024;

/** Reads an output file while it is written. */
export interface OutputReader {
  /** False while the file must not be emptied. */
  readonly mayCut: boolean;
  /** Reads what there is, without waiting. Called right before the file is emptied. */
  catchUp(): void;
  /** The file was emptied, in the same turn of the event loop. */
  wasCut(): void;
}

/** Standard output and standard error of one process. Polls of the files never overlap. */
export class OutputFiles {
  readonly #stdout: OutputFile;
  readonly #stderr: OutputFile;
  readonly #log: Logger;
  readonly #warned = new Set<OutputFile>();
  #last: Promise<void> = Promise.resolve();

  /** @param reader of standard output, which must miss nothing */
  constructor(directory: AttemptDirectory, maxBytes: number, log: Logger, reader?: OutputReader) {
    this.#log = log;
    this.#stdout = new OutputFile(directory.stdout, maxBytes, log, reader);
    this.#stderr = new OutputFile(directory.stderr, maxBytes, log);
  }

  bytes(): OutputBytes {
    const lastOutputAt = Math.max(this.#stdout.lastOutputAt ?? 0, this.#stderr.lastOutputAt ?? 0);
    const bytes = { stdout: this.#stdout.bytes, stderr: this.#stderr.bytes };
    return lastOutputAt === 0 ? bytes : { ...bytes, lastOutputAt };
  }

  /** Never rejects: a file that cannot be read or rotated now is logged and tried again at the next poll. */
  poll(): Promise<void> {
    return this.#next((file) => file.poll());
  }

  /** Never rejects: the end of a process is reported whether or not its output can be kept. */
  close(): Promise<void> {
    return this.#next((file) => file.close());
  }

  /** Once for each file: what a process has put in its place stays there. */
  #warn(file: OutputFile, error: unknown): void {
    if (this.#warned.has(file)) return;
    this.#warned.add(file);
    this.#log.warn(
      { err: error, file: file.path },
      'could not keep an output file below its cap; trying again at each poll',
    );
  }

  #next(work: (file: OutputFile) => Promise<void>): Promise<void> {
    this.#last = this.#last.then(async () => {
      for (const file of [this.#stdout, this.#stderr]) {
        await work(file).catch((error: unknown) => this.#warn(file, error));
      }
    });
    return this.#last;
  }
}

/**
 * One output file of a process, kept below a cap.
 *
 * If the file exceeds the cap at a poll, its newest part (as much as the cap) is copied to `FILE.1` and the file is
 * emptied; the process continues at the new end, because it appends. What it writes between the last read of the
 * copy and the truncation is lost: some microseconds' worth per rotation, or more if it writes faster than the disk is
 * read. Between two polls a file can exceed the cap. After the end the file itself keeps the newest part. Before the
 * first cut its first 64 KiB go to `FILE.head`. So at most twice the cap, and the head, stay on disk.
 */
export class OutputFile {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #log: Logger;
  readonly #reader: OutputReader | undefined;
  #size = 0;
  /** Bytes that the launcher has moved out of the file. */
  #rotatedBytes = 0;
  #droppedBytes = 0;
  #modifiedAt: number | undefined;

  constructor(path: string, maxBytes: number, log: Logger, reader?: OutputReader) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#log = log;
    this.#reader = reader;
  }

  /** Bytes written, dropped ones included. */
  get bytes(): number {
    return this.#rotatedBytes + this.#droppedBytes + this.#size;
  }

  /** Epoch milliseconds of the latest write; undefined if there was none. */
  get lastOutputAt(): number | undefined {
    return this.#modifiedAt;
  }

  /** Measures the file and rotates it if it is too large. */
  async poll(): Promise<void> {
    this.#measure();
    if (this.#size <= this.#maxBytes) return;
    if (this.#reader?.mayCut === false && !this.#isOvergrown) return;
    await this.#keepHead();
    const copied = await this.#copy();
    // Synchronous from here on: what is written between the last read and the truncation is lost.
    this.#measure();
    const isAtRest = !copied || this.#size - copied.end <= COPY_BYTES;
    // A process that writes faster than it can be read is left alone for now: it may pause before the next poll.
    if (!isAtRest && !this.#isOvergrown) return;
    // What is written at this very moment would be lost to its reader: it waits until nothing is written.
    if (this.#reader !== undefined && copied?.end !== this.#size && !this.#isOvergrown) return;
    this.#reader?.catchUp(); // most of it, before the copy is ended
    this.#droppedBytes += (copied && this.#keepCopy(copied)) ?? this.#size;
    this.#reader?.catchUp();
    truncateTo(this.path, 0); // also without a copy: the cap protects the disk
    this.#reader?.wasCut();
    this.#size = 0;
  }

  get #isOvergrown(): boolean {
    return this.#size >= this.#maxBytes * MAX_OVERGROWTH;
  }

  /** The last poll, after the process has ended. */
  async close(): Promise<void> {
    this.#measure();
    if (this.#size > this.#maxBytes) {
      await this.#keepHead();
      if (await this.#copy()) await rename(this.#copyPath, this.path);
      else truncateTo(this.path, this.#maxBytes);
      this.#droppedBytes += this.#size - this.#maxBytes;
      this.#size = this.#maxBytes;
    }
    await rm(this.#copyPath, { force: true }).catch(() => {}); // a directory that the process made there
  }

  /** Returns the length of the file; undefined if something else is in the way of the copy. */
  #keepCopy({ end }: Copied): number | undefined {
    try {
      renameSync(this.#copyPath, `${this.path}.1`);
      return appendRest(this.path, `${this.path}.1`, end);
    } catch (error) {
      this.#log.warn({ file: this.path, err: error }, `output is dropped: ${messageOf(error)}`);
      return undefined;
    }
  }

  get #copyPath(): string {
    return `${this.path}.copy`;
  }

  #measure(): void {
    const stats = statRegularSync(this.path);
    this.#rotatedBytes = rotatedBytes(this.path) ?? this.#rotatedBytes;
    if (stats === undefined) return;
    // A process can set the time of its output, but gives no sign of life in the future.
    if (stats.size > 0) this.#modifiedAt = Math.min(Math.floor(stats.mtimeMs), Date.now());
    this.#size = stats.size;
  }

  /** Only before the first cut: later the file no longer starts with the beginning. */
  async #keepHead(): Promise<void> {
    const head = `${this.path}.head`;
    if (statRegularSync(head) !== undefined) return;
    await withCopy(this.path, head, (source, copy) =>
      copyRange(source, copy, { from: 0, to: HEAD_BYTES, at: 0 }),
    ).catch((error: unknown) => {
      const why = `could not keep the beginning of an output file: ${messageOf(error)}; only its end is kept`;
      this.#log.warn({ file: this.path, err: error }, why);
    });
  }

  /** Copies the newest part to a file of its own; undefined if it cannot be written. */
  async #copy(): Promise<Copied | undefined> {
    try {
      return await withCopy(this.path, this.#copyPath, (source, copy) =>
        copyNewest(source, copy, this.#maxBytes),
      );
    } catch (error) {
      const why = `output is dropped because it cannot be copied: ${messageOf(error)}`;
      this.#log.warn({ file: this.path, err: error }, why);
      await rm(this.#copyPath, { force: true }).catch(() => {});
      return undefined;
    }
  }
}

interface Copied {
  /** Offset in the file at which the copy ends. */
  readonly end: number;
}

async function withCopy<Result>(
  path: string,
  target: string,
  work: (source: FileHandle, copy: FileHandle) => Promise<Result>,
): Promise<Result> {
  const source = await openRegular(path);
  if (source === null) throw new NotRegularError(`there is no file ${path}`);
  try {
    const copy = await createFresh(target);
    try {
      return await work(source, copy);
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

/**
 * Copies the newest bytes of a file that may grow meanwhile, up to its end: what is not copied is lost when the file is
 * emptied next, and the last thing that a process writes matters most.
 */
async function copyNewest(source: FileHandle, copy: FileHandle, maxBytes: number): Promise<Copied> {
  const until = performance.now() + MAX_COPY_MS;
  let start = Math.max(0, (await source.stat()).size - maxBytes);
  for (let end = start; ; ) {
    const { size } = await source.stat();
    if (end > start && (size === end || performance.now() > until)) return { end };
    if (size - end > maxBytes) {
      start = size - maxBytes;
      end = start;
      await copy.truncate(0);
    }
    end = await copyRange(source, copy, { from: end, to: size, at: end - start });
  }
}

/**
 * Appends what was written since the copy ended, up to a limit. Synchronous, and right before the file is emptied: the
 * last line of a program often comes a moment after a long output. Returns the length of the file.
 */
function appendRest(path: string, target: string, end: number): number {
  const source = openRegularSync(path);
  const copy = openForAppendSync(target);
  try {
    const buffer = Buffer.allocUnsafe(HEAD_BYTES);
    let position = end;
    for (let bytes = 1; bytes > 0 && position < end + MAX_REST_BYTES; position += bytes) {
      bytes = readSync(source, buffer, 0, buffer.length, position);
      if (bytes > 0) writeSync(copy, buffer, 0, bytes);
    }
    return position;
  } finally {
    closeSync(source);
    closeSync(copy);
  }
}

function truncateTo(path: string, bytes: number): void {
  const file = openForWritingSync(path);
  try {
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
}

interface ByteRange {
  readonly from: number;
  readonly to: number;
  /** Offset in the copy. */
  readonly at: number;
}

/** Returns where it stopped: at `to`, or at the end of the file. */
async function copyRange(source: FileHandle, copy: FileHandle, { from, to, at }: ByteRange): Promise<number> {
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
