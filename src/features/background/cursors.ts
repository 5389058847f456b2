/**
 * The positions of readers of finished commands. A position belongs to its reader and changes no task, so it is in a file
 * and not in the log. It is on the disk before the results are returned, so no result is returned twice; a drain with an
 * id is kept until the next one, so that a reader who missed the answer can ask for the same results again.
 */
import { z } from 'zod';
import { readJson, writeJson } from '../../base/files.ts';
import { SignalboxError } from '../../contracts/errors.ts';

const cursorSchema = z.strictObject({
  /** Sequence of the last ending that was returned. */
  position: z.int().min(0),
  /** The last drain with an id returned the endings after `from`, up to `to`. */
  last: z.strictObject({ id: z.string(), from: z.int().min(0), to: z.int().min(0) }).nullable(),
});
export type Cursor = z.output<typeof cursorSchema>;

/** A list, because a name could be a special key of an object. */
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
    const saved = await readJson(file, fileSchema).catch((cause: unknown) => {
      throw new SignalboxError(
        'config_invalid',
        `cannot read the cursors of background commands from ${file}: restore the file, or delete it to return all results again`,
        { cause, details: { file } },
      );
    });
    return new Cursors(file, new Map(saved));
  }

  /** A new cursor begins with the first command. */
  get(name: string): Cursor {
    return this.#cursors.get(name) ?? BEGINNING;
  }

  /** Resolves when it is on the disk; one at a time. */
  async set(name: string, cursor: Cursor): Promise<void> {
    await writeJson(this.#file, [...new Map(this.#cursors).set(name, cursor)]);
    this.#cursors.set(name, cursor);
  }
}
