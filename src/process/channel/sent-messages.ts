/** Which messages a process has got on its standard input, also for the next Signalbox. */
import { closeSync, writeSync } from 'node:fs';
import { openForAppendSync, readRegular } from '../../base/regular-files.ts';

/** A key is a word of a line: short, and of characters that need no escaping. */
const KEY = /^[\w.:/-]{1,200}$/;
/** A larger file is damage: a process that writes into it can confuse only itself. */
const MAX_BYTES = 8 * 1_024 * 1_024;

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
  readonly #sent = new Set<string>();
  #descriptor: number | undefined;
  /** The message that may have been cut, because its writer died. */
  cut: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws NotRegularError, and errors of the system */
  async load(): Promise<void> {
    const lines = (await readRegular(this.#path, MAX_BYTES))?.toString('latin1').split('\n') ?? [];
    for (const line of lines) this.#receive(line);
    this.#descriptor = openForAppendSync(this.#path);
  }

  has(key: string): boolean {
    return this.#sent.has(key);
  }

  /** In the order in which they were sent. */
  keys(): readonly string[] {
    return [...this.#sent];
  }

  /** It has arrived, as the process itself says. */
  note(key: string): void {
    this.#sent.add(key);
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
    if (this.#descriptor !== undefined) writeSync(this.#descriptor, line);
  }

  #receive(line: string): void {
    const [word, key = ''] = line.split(' ');
    if (!isMessageKey(key)) return;
    if (word === 'begin') this.cut = key;
    if (word !== 'end') return;
    this.#sent.add(key);
    if (this.cut === key) this.cut = undefined;
  }
}
