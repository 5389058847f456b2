/** Which messages a process has got on its standard input, also for the next Signalbox. */
import { closeSync, writeSync } from 'node:fs';
import { openForAppendSync, readRegular } from '../../base/regular-files.ts';

/** A key is a word of a line: short, and of characters that need no escaping. */
const KEY = /^[\w.:/-]{1,200}$/;
/** A larger file is damage: a process that writes into it can confuse only itself. */
const MAX_BYTES = 8 * 1_024 * 1_024;
/** Of the records of one message, and of a line that was damaged. */
const MAX_RECORD_BYTES = 1_024;
/** A process can make up requests and receipts without an end: no conversation has as many messages. */
const MAX_KEYS = 50_000;

export function isMessageKey(key: string): boolean {
  return KEY.test(key);
}

/**
 * A file of lines "begin KEY" and "end KEY". A message that may be written in parts is begun before its first byte is
 * written, and each message is ended after its last: so one without an end may have arrived in part. Written synchronously:
 * two short lines cost less than the thread pool, and nothing comes between a message and its record.
 */
export class SentMessages {
  readonly #path: string;
  readonly #maxKeys: number;
  readonly #sent = new Set<string>();
  #descriptor: number | undefined;
  #bytes = 0;
  /** The message that may have been cut, because its writer died. */
  cut: string | undefined;

  constructor(path: string, maxKeys = MAX_KEYS) {
    this.#path = path;
    this.#maxKeys = maxKeys;
  }

  /** @throws NotRegularError, and errors of the system */
  async load(): Promise<void> {
    const text = (await readRegular(this.#path, MAX_BYTES))?.toString('latin1') ?? '';
    this.#bytes = text.length;
    for (const line of text.split('\n')) this.#receive(line);
    this.#descriptor = openForAppendSync(this.#path);
  }

  has(key: string): boolean {
    return this.#sent.has(key);
  }

  /** In the order in which they were sent. */
  keys(): readonly string[] {
    return [...this.#sent];
  }

  /** Nothing more can be recorded, so nothing more may be sent. */
  get isFull(): boolean {
    return this.#sent.size >= this.#maxKeys || this.#bytes > MAX_BYTES - MAX_RECORD_BYTES;
  }

  /** It has arrived, as the process itself says. Not needed if nothing more is sent. */
  note(key: string): void {
    if (!this.isFull) this.#sent.add(key);
  }

  begin(key: string): void {
    this.#append(`begin ${key}\n`);
  }

  end(key: string): void {
    this.#sent.add(key);
    this.#append(`end ${key}\n`);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #append(line: string): void {
    if (this.#descriptor === undefined) return;
    writeSync(this.#descriptor, line);
    this.#bytes += line.length;
  }

  #receive(line: string): void {
    const [word, key = ''] = line.split(' ');
    if (!isMessageKey(key)) return;
    if (word === 'begin') this.cut = key;
    if (word !== 'end' || this.isFull) return;
    this.#sent.add(key);
    if (this.cut === key) this.cut = undefined;
  }
}
