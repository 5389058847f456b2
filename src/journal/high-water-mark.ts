/**
 * The last event that the log has acknowledged, kept in a file beside the data.
 *
 * A log may be shorter than before, or be another log, without an error: a server truncates a damaged store, a backup is
 * older, a URL names another server. Its next events would take sequences that were used before.
 *
 * Invariant journal/high-water-mark: the mark names an event that was acknowledged and never moves back; it may be behind
 * by one interval. The file is replaced durably, so a power cut leaves a mark that can be trusted. A log that does not
 * have the marked event at its place is refused before anything is written to it.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import { readIfExists, replaceDurably } from '../base/files.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import type { Journal, JournalEntry, Tip } from './journal.ts';

const INTERVAL_MS = 1_000;

const tipSchema = z.strictObject({ sequence: z.int().min(1), id: z.string().min(1) });

interface Target {
  readonly file: string;
  readonly logger: Logger;
  /** Milliseconds between two writes of the file while the mark moves. */
  readonly intervalMs: number;
}

export class HighWaterMark {
  readonly #target: Target;
  #mark: Tip | null;
  #saved: Tip | null;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(target: Target, mark: Tip | null) {
    this.#target = target;
    this.#mark = mark;
    this.#saved = mark;
  }

  /** Reads the mark of an earlier run, if there is one. @throws SignalboxError `log_mismatch` for a damaged file */
  static async open(file: string, logger: Logger, intervalMs = INTERVAL_MS): Promise<HighWaterMark> {
    return new HighWaterMark({ file, logger, intervalMs }, await readMark(file));
  }

  /** Compares the log with the mark. @throws SignalboxError `log_mismatch`, and what reading the log throws */
  async check(journal: Pick<Journal<JournalEntry>, 'tip' | 'read'>): Promise<void> {
    const mark = this.#mark;
    if (!mark) return;
    const { sequence: end } = await journal.tip();
    if (end < mark.sequence) throw this.#mismatch(mark, `the log ends at event ${end}`, { end });
    for await (const { id } of journal.read({ from: mark.sequence, to: mark.sequence })) {
      if (id === mark.id) return;
      const found = id === '' ? 'no id' : `the id ${id}`;
      throw this.#mismatch(mark, `event ${mark.sequence} of the log has ${found}`, { id });
    }
  }

  /** Notes that the log has acknowledged this event. Cheap: the file follows later. */
  advance(tip: Tip): void {
    if (this.#mark && tip.sequence <= this.#mark.sequence) return;
    this.#mark = tip;
    this.#schedule();
  }

  /** Writes the file a last time. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#save();
  }

  #schedule(): void {
    if (this.#timer || this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#save().then(() => {
        this.#timer = undefined;
        if (this.#saved !== this.#mark) this.#schedule();
      });
    }, this.#target.intervalMs);
    this.#timer.unref();
  }

  /** One write at a time. Never rejects: an old mark is still true, and the next write may succeed. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      const mark = this.#mark;
      if (!mark || mark === this.#saved) return;
      try {
        await replaceDurably(
          this.#target.file,
          `${JSON.stringify({ sequence: mark.sequence, id: mark.id })}\n`,
        );
        this.#saved = mark;
      } catch (error) {
        this.#target.logger.warn(
          { err: error, file: this.#target.file },
          `could not save the high-water mark: ${messageOf(error)}; trying again with the next event`,
        );
      }
    });
    return this.#saving;
  }

  #mismatch(mark: Tip, found: string, details: Record<string, unknown>): SignalboxError {
    return new SignalboxError(
      'log_mismatch',
      `${found}, but this data directory has seen event ${mark.sequence} with the id ${mark.id} stored in it. Either the log lost its end, or it was restored from an older backup, or it is that of another NATS server. Restore the log, or start with the server that has it. To continue with this log and accept the loss, delete ${this.#target.file}`,
      { details: { expected: mark, ...details, file: this.#target.file } },
    );
  }
}

async function readMark(file: string): Promise<Tip | null> {
  let text: string | null;
  try {
    text = await readIfExists(file);
  } catch (cause) {
    throw unreadable(file, messageOf(cause), cause);
  }
  try {
    return text === null ? null : tipSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw unreadable(file, 'it does not have the form {"sequence":1,"id":"…"}', cause);
  }
}

function unreadable(file: string, why: string, cause: unknown): SignalboxError {
  return new SignalboxError(
    'log_mismatch',
    `${file} should name the last event that this data directory has seen in the log, and cannot be read: ${why}. Restore the file; or, if you are sure that the log is complete, delete it`,
    { cause, details: { file } },
  );
}
