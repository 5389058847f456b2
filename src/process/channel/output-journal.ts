/**
 * Follows the standard output of a process: what it printed so far, and what it prints from now on.
 *
 * The output is read once and in order, in pieces, without holding more than one of them. The file may be emptied meanwhile,
 * because it reached its cap (output-files.ts): right before that, the rest of it is read. After a restart the output that
 * is left is read again from its beginning, so the reader comes to the same state.
 */
import { fstatSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openRegular } from '../../base/regular-files.ts';
import type { OutputConsumer } from '../runner.ts';

const PIECE_BYTES = 64 * 1_024;
/** How much is read at once, right before the file is emptied: the rest of a process that writes faster is left out. */
const MAX_REST_BYTES = 4 * 1_024 * 1_024;
const LINE_BREAK = Buffer.from('\n');

export class OutputJournal {
  readonly #path: string;
  readonly #consumer: OutputConsumer;
  #file: FileHandle | null = null;
  #position = 0;
  /** Grows when the file is emptied: what was being read then counts no more. */
  #generation = 0;
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

  /** To be called right before the file is emptied, in the same turn of the event loop. */
  beforeCut(): void {
    if (this.#file === null || this.#isClosed) return;
    const buffer = Buffer.allocUnsafe(PIECE_BYTES); // a read into the other one may be under way
    const { size } = fstatSync(this.#file.fd);
    if (size - this.#position > MAX_REST_BYTES) {
      // It writes faster than it is read: what is newest matters most.
      this.#consumer.receive(LINE_BREAK);
      this.#position = size - MAX_REST_BYTES;
    }
    for (let bytes = 1; bytes > 0 && this.#position < size; this.#position += bytes) {
      bytes = readSync(this.#file.fd, buffer, 0, buffer.length, this.#position);
      if (bytes > 0) this.#consumer.receive(buffer.subarray(0, bytes));
    }
    this.#restart();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading?.catch(() => {});
    await this.#file?.close();
    this.#file = null;
  }

  async #read(): Promise<void> {
    if (!this.#hasHistory) await this.#readHistory();
    this.#file ??= await openRegular(this.#path);
    while (!this.#isClosed && (await this.#readPiece()));
    if (!this.#isClosed) this.#consumer.caughtUp();
  }

  /** What an earlier runner has moved away from the file: its beginning, and what came before the last cut. */
  async #readHistory(): Promise<void> {
    if (await this.#readWhole(`${this.#path}.head`)) await this.#readWhole(`${this.#path}.1`);
    this.#hasHistory = true;
  }

  /** @returns whether there is such a file */
  async #readWhole(path: string): Promise<boolean> {
    const file = await openRegular(path);
    if (file === null) return false;
    try {
      for (let bytes = 1; bytes > 0 && !this.#isClosed; ) {
        bytes = (await file.read(this.#buffer, 0, PIECE_BYTES, null)).bytesRead;
        if (bytes > 0) this.#consumer.receive(this.#buffer.subarray(0, bytes));
      }
      this.#consumer.receive(LINE_BREAK); // so that no two lines become one
      return true;
    } finally {
      await file.close();
    }
  }

  /** @returns false at the end of the file */
  async #readPiece(): Promise<boolean> {
    const file = this.#file;
    if (file === null) return false;
    if (fstatSync(file.fd).size < this.#position) this.#restart(); // emptied by the process itself
    const generation = this.#generation;
    const { bytesRead } = await file.read(this.#buffer, 0, PIECE_BYTES, this.#position);
    if (generation !== this.#generation || this.#isClosed) return true;
    if (bytesRead === 0) return false;
    this.#position += bytesRead;
    this.#consumer.receive(this.#buffer.subarray(0, bytesRead));
    return true;
  }

  #restart(): void {
    this.#generation += 1;
    this.#position = 0;
  }
}
