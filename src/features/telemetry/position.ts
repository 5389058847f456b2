/** How far the export of spans is: a place in the log, in a file, so that a restart goes on there. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { replaceDurably } from '../../base/files.ts';
import { hasCode } from '../../contracts/errors.ts';

const fileSchema = z.strictObject({ position: z.int().min(0) });

export class Position {
  readonly #file: string;
  #saved: number;

  private constructor(file: string, saved: number) {
    this.#file = file;
    this.#saved = saved;
  }

  /**
   * @param end of the log: where an export begins that is new, or whose file says nothing of this log. Traces are no
   *   reason not to start.
   */
  static async open(file: string, end: number, logger: Logger): Promise<Position> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const known = await read(file).catch((err: unknown) => {
      logger.warn(
        { err, file },
        'how far the export of spans is cannot be read: it begins with what comes next',
      );
      return null;
    });
    const position = new Position(file, known !== null && known <= end ? known : end);
    // Written at once: what happens while Signalbox is down is owed from now on.
    await replaceDurably(file, textOf(position.value));
    return position;
  }

  get value(): number {
    return this.#saved;
  }

  /** Resolves when it is on the disk; one at a time. */
  async save(value: number): Promise<void> {
    if (value <= this.#saved) return;
    await replaceDurably(this.#file, textOf(value));
    this.#saved = value;
  }
}

function textOf(position: number): string {
  return `${JSON.stringify({ position })}\n`;
}

async function read(file: string): Promise<number | null> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8'))).position;
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw cause;
  }
}
