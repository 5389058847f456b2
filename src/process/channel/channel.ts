/** A conversation with a process: messages into its standard input, and everything that it prints. */
import type { Logger } from 'pino';
import { withLimit } from '../../base/time.ts';
import type { AttemptDirectory } from '../files/attempt-directory.ts';
import type { OutputReader } from '../files/output-files.ts';
import type { Channel, OutputConsumer, Sending } from '../runner.ts';
import { InputFifo } from './input-fifo.ts';
import { OutputJournal } from './output-journal.ts';

/** Milliseconds between two looks for new output. */
const POLL_MS = 100;
const MAX_FINISH_MS = 10_000;

export class ProcessChannel implements Channel, OutputReader {
  readonly #input: InputFifo;
  readonly #stdout: string;
  readonly #log: Logger;
  #journal: OutputJournal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasWarned = false;

  constructor(directory: AttemptDirectory, log: Logger) {
    this.#input = new InputFifo(directory.path);
    this.#stdout = directory.stdout;
    this.#log = log;
  }

  read(consumer: OutputConsumer): void {
    this.#journal = new OutputJournal(this.#stdout, consumer);
    void this.#poll();
  }

  async send(key: string, line: string): Promise<Sending> {
    const sending = await this.#input.send(key, line);
    if (sending === 'refused') this.#warn(this.#input.failure ?? 'it does not read');
    return sending;
  }

  note(key: string): void {
    this.#input.note(key);
  }

  wasSent(key: string): Promise<boolean> {
    return this.#input.wasSent(key);
  }

  sentKeys(): Promise<readonly string[]> {
    return this.#input.sentKeys();
  }

  get mayCut(): boolean {
    return this.#journal?.mayCut ?? true;
  }

  catchUp(): void {
    this.#journal?.catchUp();
  }

  wasCut(): void {
    this.#journal?.wasCut();
  }

  /**
   * Reads the rest of the output of a process that has ended. Never rejects. What another process still prints has no end:
   * after `limitMs` the rest is left out.
   */
  async finish(limitMs = MAX_FINISH_MS): Promise<void> {
    const work = async (): Promise<void> => {
      await this.#readAll(); // may have begun before the end
      await this.#readAll();
    };
    await withLimit(work(), limitMs, () => this.#warn('its last output could not be read in time'));
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#input.close();
    void this.#journal?.close();
  }

  async #poll(): Promise<void> {
    await this.#readAll();
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#poll(), POLL_MS).unref();
  }

  async #readAll(): Promise<void> {
    await this.#journal?.read().catch((error: unknown) => this.#warn(String(error)));
  }

  #warn(why: string): void {
    if (this.#hasWarned || this.#isClosed) return;
    this.#hasWarned = true;
    this.#log.warn({ file: this.#stdout }, `cannot talk to a process: ${why}`);
  }
}
