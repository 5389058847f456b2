/**
 * The position and the dead letters of a webhook, in a file. The position never passes an event that was neither delivered
 * nor saved as a dead letter. The file may be behind: after a crash, events are sent again, never skipped.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../../base/environment.ts';
import { readJson, writeJson } from '../../base/files.ts';
import { type WebhookLetter, webhookLetterSchema } from '../../contracts/api/webhooks.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';

const fileSchema = z.strictObject({
  position: z.int().min(0),
  dead_letters: z.array(webhookLetterSchema),
});

/** Positions within this time are saved together. */
const SAVE_DELAY_MS = 250;

export class WebhookProgress {
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

  /** @param end position of a new webhook. @throws SignalboxError `config_invalid` for a damaged file */
  static async open(file: string, logger: Logger, clock: Clock, end: number): Promise<WebhookProgress> {
    const state = await readJson(file, fileSchema).catch((cause: unknown) => {
      throw new SignalboxError(
        'config_invalid',
        `cannot read webhook progress from ${file}: restore the file, or delete it to continue with new events`,
        { cause, details: { file } },
      );
    });
    const progress = new WebhookProgress(file, logger, clock, state ?? { position: end, dead_letters: [] });
    // Saved at once: events that happen while Signalbox is down are delivered later.
    if (state === null) await progress.save();
    return progress;
  }

  get position(): number {
    return this.#position;
  }

  get letters(): readonly WebhookLetter[] {
    return this.#letters;
  }

  /** Saved soon, not at once. */
  advance(position: number): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#cancel ??= this.#clock.schedule(SAVE_DELAY_MS, () => {
      this.#cancel = null;
      void this.save().catch((err: unknown) => {
        const why = `could not save webhook progress: ${messageOf(err)}; trying again with the next event`;
        this.#logger.warn({ err, file: this.#file }, why);
      });
    });
  }

  /** Adds a dead letter; resolves when it is on the disk. */
  async addLetter(letter: WebhookLetter): Promise<void> {
    const others = this.#letters.filter(({ event_id }) => event_id !== letter.event_id);
    this.#letters = [...others, letter];
    await this.save();
  }

  async removeLetters(letters: readonly WebhookLetter[]): Promise<void> {
    const gone = new Set(letters.map(({ event_id }) => event_id));
    this.#letters = this.#letters.filter(({ event_id }) => !gone.has(event_id));
    await this.save();
  }

  /** One write at a time. */
  save(): Promise<void> {
    const saved = this.#saving.then(() =>
      writeJson(this.#file, { position: this.#position, dead_letters: this.#letters }),
    );
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.save();
  }
}
