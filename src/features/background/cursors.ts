/**
 * How far each reader of notifications is. It is the reader's own state and changes no task, so it stands in a file
 * beside the log, and not in it: a place in the log says all there is to say.
 *
 * R1 A place is on the disk before what lies before it is handed out: no restart hands it out again.
 * R2 A drain that has a name is remembered with its part of the log until the next one: whoever did not get the answer
 *    asks again, and gets the same.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { replaceDurably } from '../../base/files.ts';
import { hasCode, SignalboxError } from '../../contracts/errors.ts';

const cursorSchema = z.strictObject({
  /** Sequence of the last ending that was handed out. */
  position: z.int().min(0),
  /** The newest drain that had a name: what it was given lies after `from`, up to `to`. */
  last: z.strictObject({ id: z.string(), from: z.int().min(0), to: z.int().min(0) }).nullable(),
});
export type Cursor = z.output<typeof cursorSchema>;

/** A list: a name is text, and no key of an object. */
const fileSchema = z.array(z.tuple([z.string(), cursorSchema]));

const BEGINNING: Cursor = { position: 0, last: null };

export class Cursors {
  readonly #file: string;
  readonly #cursors: Map<string, Cursor>;

  private constructor(file: string, cursors: Map<string, Cursor>) {
    this.#file = file;
    this.#cursors = cursors;
  }

  /** @throws SignalboxError `config_invalid` for a damaged file */
  static async open(file: string): Promise<Cursors> {
    return new Cursors(file, new Map(await read(file)));
  }

  /** A new one begins with the first command that there was. */
  get(name: string): Cursor {
    return this.#cursors.get(name) ?? BEGINNING;
  }

  /** Resolves when it is on the disk; one at a time. */
  async set(name: string, cursor: Cursor): Promise<void> {
    const next = new Map(this.#cursors).set(name, cursor);
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await replaceDurably(this.#file, `${JSON.stringify([...next])}\n`);
    this.#cursors.set(name, cursor);
  }
}

async function read(file: string): Promise<z.output<typeof fileSchema>> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return [];
    throw new SignalboxError(
      'config_invalid',
      `${file} should say which results of background commands were fetched, and cannot be understood. Restore it, or delete it: all are handed out again then`,
      { cause, details: { file } },
    );
  }
}
