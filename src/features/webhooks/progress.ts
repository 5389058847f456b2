/**
 * How far a webhook is: kept in a file, so that a restart goes on where it was.
 *
 * P1 The position never passes an event that was neither delivered nor written down as a dead letter.
 * P2 The file may be behind: then events are sent again, never left out.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../../base/environment.ts';
import { replaceDurably } from '../../base/files.ts';
import { type WebhookLetter, webhookLetterSchema } from '../../contracts/api/webhooks.ts';
import { hasCode, SignalboxError } from '../../contracts/errors.ts';

const fileSchema = z.strictObject({
  position: z.int().min(0),
  dead_letters: z.array(webhookLetterSchema),
});

/** Milliseconds that a position waits for others, to be written together. */
const SAVE_DELAY_MS = 250;

export class Progress {
  readonly #file: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #position: number;
  #letters: readonly WebhookLetter[];
  #saving: Promise<void> = Promise.resolve();
  #cancel: (() => void) | null = null;

  private constructor(file: string, logger: Logger, clock: Clock, state: z.output<typeof fileSchema>) {
    this.#file = file;
    this.#logger = logger;
    this.#clock = clock;
    this.#position = state.position;
    this.#letters = state.dead_letters;
  }

  /** @param end where a webhook begins that is new. @throws SignalboxError `config_invalid` for a damaged file */
  static async open(file: string, logger: Logger, clock: Clock, end: number): Promise<Progress> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const state = await readState(file);
    const progress = new Progress(file, logger, clock, state ?? { position: end, dead_letters: [] });
    // Written at once: what happens while Signalbox is down is owed from now on.
    if (state === null) await progress.save();
    return progress;
  }

  get position(): number {
    return this.#position;
  }

  get letters(): readonly WebhookLetter[] {
    return this.#letters;
  }

  /** The file follows soon. */
  advance(position: number): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#cancel ??= this.#clock.schedule(SAVE_DELAY_MS, () => {
      this.#cancel = null;
      void this.save().catch((err: unknown) => {
        this.#logger.warn({ err, file: this.#file }, 'how far a webhook is could not be written');
      });
    });
  }

  /** Gives an event up; resolves when that is on the disk. */
  async bury(letter: WebhookLetter): Promise<void> {
    const others = this.#letters.filter(({ sequence }) => sequence !== letter.sequence);
    this.#letters = [...others, letter];
    await this.save();
  }

  async forget(sequences: ReadonlySet<number>): Promise<void> {
    this.#letters = this.#letters.filter(({ sequence }) => !sequences.has(sequence));
    await this.save();
  }

  /** Writes the file; one write at a time. */
  save(): Promise<void> {
    const write = async (): Promise<void> => {
      const state = { position: this.#position, dead_letters: this.#letters };
      await replaceDurably(this.#file, `${JSON.stringify(state)}\n`);
    };
    const saved = this.#saving.then(write);
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.save();
  }
}

async function readState(file: string): Promise<z.output<typeof fileSchema> | null> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new SignalboxError(
      'config_invalid',
      `${file} should say how far a webhook is, and cannot be understood. Restore it, or delete it: the webhook then begins with what comes next`,
      { cause, details: { file } },
    );
  }
}
