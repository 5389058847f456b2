/**
 * Writes messages into the FIFO that is a process's standard input.
 *
 * Neither a process that never reads nor one that replaces the FIFO blocks a thread or fills memory: the FIFO is opened
 * and written without waiting, what waits is bounded, and each message has a deadline. A short line is written as a whole or
 * not at all, so that the death of this process cannot cut it; longer ones may be written in parts. A line that an earlier
 * writer may have cut is ended first.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deferred } from '../../base/deferred.ts';
import { hasCode, messageOf } from '../../contracts/errors.ts';
import type { Sending } from '../runner.ts';
import { isMessageKey, SentMessages } from './sent-messages.ts';

export interface FifoLimits {
  /** Bytes that may wait. */
  readonly queueBytes: number;
  /** Milliseconds that a message may wait. */
  readonly waitMs: number;
  /** Messages of the whole conversation. Default: that of {@link SentMessages}. */
  readonly messages?: number;
}

export const FIFO_LIMITS: FifoLimits = { queueBytes: 4 * 1_024 * 1_024, waitMs: 60_000 };
/** PIPE_BUF: so much the system writes as a whole or not at all. */
const MAX_WHOLE_BYTES = process.platform === 'linux' ? 4_096 : 512;
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 250;

interface Message {
  readonly key: string;
  readonly bytes: Buffer;
  /** Milliseconds of the monotonic clock. */
  readonly deadline: number;
  readonly settle: (sending: Sending) => void;
  written: number;
}

export class InputFifo {
  readonly #directory: string;
  readonly #limits: FifoLimits;
  readonly #sent: SentMessages;
  readonly #queue: Message[] = [];
  readonly #waitingKeys = new Set<string>();
  readonly #ready: Promise<void>;
  #queuedBytes = 0;
  #descriptor: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pollMs = MIN_POLL_MS;
  #isFed = false;
  /** Why nothing can be sent any more. */
  #failure: string | undefined;

  constructor(directory: string, limits: FifoLimits = FIFO_LIMITS) {
    this.#directory = directory;
    this.#limits = limits;
    this.#sent = new SentMessages(join(directory, 'sent'), limits.messages);
    this.#ready = this.#open().catch((error: unknown) => this.#fail(messageOf(error)));
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Resolves once the whole line is in the FIFO, or will not be. Never rejects.
   * @param key the same key is sent once, also by the next writer
   * @param line without a line break
   */
  async send(key: string, line: string): Promise<Sending> {
    await this.#ready;
    if (!isMessageKey(key) || this.#failure !== undefined) return 'refused';
    if (this.#sent.has(key) || this.#waitingKeys.has(key)) return 'known';
    if (this.#sent.isFull) return 'refused';
    const bytes = Buffer.from(`${line}\n`);
    if (this.#queuedBytes + bytes.length > this.#limits.queueBytes) return 'refused';
    return this.#enqueue(key, bytes);
  }

  /** The process itself says that it has this message: it is not sent again. */
  note(key: string): void {
    this.#sent.note(key);
  }

  /** Whether this message was sent, as far as is known. */
  async wasSent(key: string): Promise<boolean> {
    await this.#ready;
    return this.#sent.has(key);
  }

  /** The messages that were sent, as far as is known. */
  async sentKeys(): Promise<readonly string[]> {
    await this.#ready;
    return this.#sent.keys();
  }

  close(): void {
    this.#fail('closed');
    void this.#ready.then(() => {
      if (this.#descriptor !== undefined) closeSync(this.#descriptor);
      this.#descriptor = undefined;
      this.#sent.close();
    });
  }

  async #open(): Promise<void> {
    const { O_RDWR, O_NONBLOCK, O_NOFOLLOW } = constants;
    const path = join(this.#directory, 'in');
    // For reading too: otherwise it fails while no process reads it.
    const descriptor = openSync(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
    if (!fstatSync(descriptor).isFIFO()) {
      closeSync(descriptor);
      throw new Error(`${path} is not a FIFO any more`);
    }
    this.#descriptor = descriptor;
    await this.#sent.load();
    if (this.#sent.cut === undefined) return;
    void this.#enqueue('', Buffer.from('\n'));
  }

  #enqueue(key: string, bytes: Buffer): Promise<Sending> {
    const { promise, resolve } = deferred<Sending>();
    this.#queuedBytes += bytes.length;
    this.#waitingKeys.add(key);
    const deadline = performance.now() + this.#limits.waitMs;
    this.#queue.push({ key, bytes, deadline, settle: resolve, written: 0 });
    this.#write();
    return promise;
  }

  /** Writes what the FIFO takes now, and comes back for the rest. */
  #write(): void {
    clearTimeout(this.#timer);
    try {
      while (this.#queue[0] !== undefined && this.#writeOne(this.#queue[0]));
    } catch (error) {
      this.#fail(messageOf(error));
    }
    if (this.#queue.length === 0) return;
    this.#timer = setTimeout(() => this.#write(), this.#pollMs).unref();
    this.#pollMs = Math.min(2 * this.#pollMs, MAX_POLL_MS);
  }

  /** @returns whether the message is done with, one way or the other */
  #writeOne(message: Message): boolean {
    if (performance.now() > message.deadline) return this.#expire(message);
    if (this.#descriptor === undefined || !this.#fed()) return false;
    const isLong = message.bytes.length > MAX_WHOLE_BYTES;
    if (message.written === 0 && isLong) this.#sent.begin(message.key);
    try {
      message.written += writeSync(this.#descriptor, message.bytes, message.written);
    } catch (error) {
      if (!hasCode(error, 'EAGAIN')) throw error;
      return false;
    }
    this.#pollMs = MIN_POLL_MS;
    if (message.written < message.bytes.length) return false;
    this.#drop(message);
    if (message.key !== '') this.#sent.end(message.key);
    message.settle('sent');
    return true;
  }

  /** The launcher's feeder writes in parts: until it is done, another writer would write into the middle of a line. */
  #fed(): boolean {
    this.#isFed ||= lstatSync(join(this.#directory, 'fed'), { throwIfNoEntry: false }) !== undefined;
    return this.#isFed;
  }

  #expire(message: Message): boolean {
    if (message.written > 0) this.#fail('the process stopped reading in the middle of a line');
    else {
      this.#drop(message);
      message.settle('refused');
    }
    return true;
  }

  #drop(message: Message): void {
    const index = this.#queue.indexOf(message);
    if (index === -1) return;
    this.#queue.splice(index, 1);
    this.#waitingKeys.delete(message.key);
    this.#queuedBytes -= message.bytes.length;
  }

  #fail(why: string): void {
    this.#failure ??= why;
    clearTimeout(this.#timer);
    for (const message of this.#queue.splice(0)) message.settle('refused');
    this.#queuedBytes = 0;
    this.#waitingKeys.clear();
  }
}
