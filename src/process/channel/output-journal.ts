/**
 * Follows the standard output of a process: what it printed so far, and what it prints from now on.
 *
 * The output is read once and in order, in pieces, without holding more than one of them. The file may be emptied meanwhile,
 * because it reached its cap (output-files.ts): right before that, the rest of it is read. Or it may be moved away, and another
 * one begin in its place: it is read to its end first. After a restart the output that
 * is left is read again from its beginning, so the reader comes to the same state.
 */
import { fstatSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openRegular, statRegularSync } from '../../base/regular-files.ts';
import { isOpenAs } from '../files/open-file.ts';
import { rotatedBytes } from '../files/rotated-bytes.ts';
import type { OutputConsumer } from '../runner.ts';

const PIECE_BYTES = 64 * 1_024;
/** How much is read at once, right before the file is emptied: the rest of a process that writes faster is left out. */
const MAX_REST_BYTES = 4 * 1_024 * 1_024;
/** Files that are followed at once: a process could exchange them without an end. */
const MAX_FILES = 100;
const LINE_BREAK = Buffer.from('\n');

export class OutputJournal {
  readonly #path: string;
  readonly #consumer: OutputConsumer;
  #file: FileHandle | null = null;
  #position = 0;
  /** Grows when a read that is under way counts no more. */
  #generation = 0;
  /** Bytes that the process had printed before the open file began; those that were dropped count, too. */
  #begin = 0;
  #hasHistory = false;
  #isClosed = false;
  #reading: Promise<void> | undefined;
  readonly #buffer = Buffer.allocUnsafe(PIECE_BYTES);

  constructor(path: string, consumer: OutputConsumer) {
    this.#path = path;
    this.#consumer = consumer;
  }

  /** Whether the file may be emptied: its older parts have been read. */
  get mayCut(): boolean {
    return this.#hasHistory;
  }

  /** Reads up to the end of the file. A second call joins the first. @throws Error of the system */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads what there is, in this turn of the event loop. */
  catchUp(): void {
    if (this.#file === null || this.#isClosed) return;
    const { size } = fstatSync(this.#file.fd);
    if (size - this.#position > MAX_REST_BYTES) {
      // It writes faster than it is read: what is newest matters most.
      this.#consumer.receive(LINE_BREAK);
      this.#position = size - MAX_REST_BYTES;
    }
    this.#generation += 1; // a read that is under way counts no more
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    const end = this.#position + 2 * MAX_REST_BYTES; // it may write as fast as it is read
    let bytes = 1;
    for (; bytes > 0 && this.#position < end; this.#position += bytes) {
      bytes = readSync(this.#file.fd, buffer, 0, buffer.length, this.#position);
      if (bytes > 0) this.#consumer.receive(buffer.subarray(0, bytes));
    }
    if (bytes > 0) this.#consumer.receive(LINE_BREAK);
  }

  /** The file was emptied. */
  wasCut(): void {
    this.#moveTo(this.#begin + this.#position);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading?.catch(() => {});
    await this.#file?.close();
    this.#file = null;
  }

  async #read(): Promise<void> {
    this.#file ??= await openRegular(this.#path);
    if (!this.#hasHistory) await this.#readHistory();
    for (let files = 0; !this.#isClosed && files < MAX_FILES; files++) {
      while (!this.#isClosed && (await this.#readPiece()));
      if (!(await this.#follow())) break;
    }
    if (!this.#isClosed) this.#consumer.caughtUp();
  }

  /** What was moved away from the file before: its beginning, and the part before this one. */
  async #readHistory(): Promise<void> {
    if (await this.#readWhole(`${this.#path}.head`)) {
      this.#consumer.receive(LINE_BREAK); // so that no two lines become one
      await this.#readWhole(`${this.#path}.1`);
    }
    this.#begin = rotatedBytes(this.#path) ?? 0;
    this.#hasHistory = true;
  }

  /** @returns whether there is such a file. One that is followed anyway is left out. */
  async #readWhole(path: string): Promise<boolean> {
    const file = await openRegular(path);
    if (file === null) return false;
    try {
      if (isOpenAs(this.#file, await file.stat())) return true;
      for (let bytes = 1; bytes > 0 && !this.#isClosed; ) {
        bytes = (await file.read(this.#buffer, 0, PIECE_BYTES, null)).bytesRead;
        if (bytes > 0) this.#consumer.receive(this.#buffer.subarray(0, bytes));
      }
      return true;
    } finally {
      await file.close();
    }
  }

  /** A full file is moved away, and another one begins in its place. @returns whether there is another one to read */
  async #follow(): Promise<boolean> {
    const now = statRegularSync(this.#path);
    if (now === undefined || isOpenAs(this.#file, now)) return false;
    if (await this.#readPiece()) return true; // written right before it was moved
    const rotated = rotatedBytes(this.#path) ?? 0;
    const moved = statRegularSync(`${this.#path}.1`);
    const next = await openRegular(this.#path);
    // Only if this file was in its place all the time, what was read between belongs to it.
    if (!isOpenAs(next, now)) {
      await next?.close();
      return next !== null;
    }
    const last = this.#file;
    const end = this.#begin + this.#position;
    const isNext = moved !== undefined && isOpenAs(last, moved);
    this.#file = next;
    this.#moveTo(isNext ? end : rotated);
    try {
      if (isNext) return true;
      // More than one was moved, and at most the last is left: a line goes on in it only if it is the very next one.
      if (rotated - (moved?.size ?? 0) !== end) this.#consumer.receive(LINE_BREAK);
      await this.#readWhole(`${this.#path}.1`);
    } finally {
      await last?.close();
    }
    return true;
  }

  /** Reads on at the beginning of a file. */
  #moveTo(begin: number): void {
    this.#generation += 1;
    this.#begin = begin;
    this.#position = 0;
  }

  /** @returns false at the end of the file */
  async #readPiece(): Promise<boolean> {
    const file = this.#file;
    if (file === null) return false;
    if (fstatSync(file.fd).size < this.#position) this.wasCut(); // by the process itself
    const generation = this.#generation;
    const { bytesRead } = await file.read(this.#buffer, 0, PIECE_BYTES, this.#position);
    if (generation !== this.#generation || this.#isClosed) return true;
    if (bytesRead === 0) return false;
    this.#position += bytesRead;
    this.#consumer.receive(this.#buffer.subarray(0, bytesRead));
    return true;
  }
}
