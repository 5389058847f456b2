/**
 * Watches the log of a running Signalbox for damage: compares the number of its messages with what is known every two
 * seconds, and verifies the whole hash chain again and again, slowly, from where the last run of Signalbox came to.
 *
 * Damage is confirmed by a second look, noted in the data directory, and ends the writing for good. The note makes the
 * next start verify the whole log first: nothing is written to a log that is known to be damaged.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Needs } from '../../app/context.ts';
import { readJson, writeJson } from '../../base/files.ts';
import { pause, withLimit } from '../../base/time.ts';
import type { IntegrityAnswer } from '../../contracts/api/audit-status.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { CHAIN_START, type ChainPosition, verifyChain } from '../../journal/chain.ts';
import { damaged } from '../../journal/failures.ts';
import type { LogReader } from '../../journal/journal.ts';

export interface LogWatchSettings {
  readonly eventsPerSecond: number;
  /** Milliseconds between two verifications of the whole log. */
  readonly pauseMs: number;
}

export interface LogWatchOptions {
  readonly app: Needs<
    'log.messages' | 'log.last' | 'log.halt' | 'log.damage' | 'log.checkComplete' | 'environment'
  >;
  readonly dataDirectory: string;
  readonly logger: Logger;
  readonly settings: LogWatchSettings;
}

const COUNT_MS = 2_000;
/** Until a reading that failed is tried again. */
const RETRY_MS = 2_000;
/** Until damage is looked at a second time. */
const SECOND_LOOK_MS = 250;
const SAVE_MS = 10_000;
const MAX_CHUNK_EVENTS = 2_000;
/** How long the server may take for a chunk. */
const CHUNK_LIMIT_MS = 60_000;
/** Events and bytes that are verified without a pause: a few milliseconds. */
const SLICE_EVENTS = 50;
const SLICE_BYTES = 512 * 1_024;
/** How long `close` waits for a log that does not answer. */
const CLOSE_MS = 2_000;

const progressSchema = z.strictObject({
  position: z.strictObject({ sequence: z.int().min(0), hash: z.string() }),
  /** The newest verification of the whole log. */
  passed_at: z.iso.datetime().nullable(),
});
type Progress = z.output<typeof progressSchema>;

const noteSchema = z.strictObject({
  sequence: z.int().min(1).nullable(),
  message: z.string(),
  found_at: z.iso.datetime(),
});
/** Damage that a run of Signalbox has found. */
export type DamageNote = z.output<typeof noteSchema>;

const START: Progress = { position: CHAIN_START, passed_at: null };

export class LogWatch {
  readonly #options: LogWatchOptions;
  readonly #closing = new AbortController();
  #position: ChainPosition;
  #passedAt: string | null;
  #countedAt: string | null = null;
  #savedAt = 0;
  #isNoted = false;
  readonly #running: Promise<unknown>;

  private constructor(options: LogWatchOptions, { position, passed_at }: Progress) {
    this.#options = options;
    this.#position = position;
    this.#passedAt = passed_at;
    this.#running = Promise.all([this.#count(), this.#verify()]);
  }

  /** Begins where the last run came to. */
  static async open(options: LogWatchOptions): Promise<LogWatch> {
    const { dataDirectory, logger, app } = options;
    const progress = await readJson(progressFile(dataDirectory), progressSchema).catch((error: unknown) => {
      logger.warn({ reason: messageOf(error) }, 'cannot read how far the log was verified: beginning anew');
      return null;
    });
    const isOfLog = progress !== null && progress.position.sequence <= app.log.last.tip.sequence;
    return new LogWatch(options, isOfLog ? progress : START);
  }

  get integrity(): IntegrityAnswer {
    const { log } = this.#options.app;
    const finding = log.damage && findingOf(log.damage);
    const state = this.#passedAt === null ? 'verifying' : 'verified';
    return {
      state: finding ? 'damaged' : state,
      finding,
      counted_at: this.#countedAt,
      verified: this.#position.sequence,
      total: log.last.tip.sequence,
      passed_at: this.#passedAt,
    };
  }

  /** The log is damaged: ends the writing. */
  report(error: SignalboxError): void {
    this.#options.app.log.halt(error);
    void this.#note();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await withLimit(this.#running, CLOSE_MS, () => {}, this.#options.app.environment.clock);
    await this.#save();
  }

  /** Compares the number of messages with what is known, again and again. Never rejects. */
  async #count(): Promise<void> {
    while (this.#isOn()) {
      try {
        await this.#options.app.log.checkComplete();
        this.#countedAt = this.#now();
      } catch (error) {
        this.#take(error);
      }
      // The journal itself may have found the damage.
      if (this.#options.app.log.damage) await this.#note();
      await this.#pause(COUNT_MS);
    }
  }

  /** Verifies the whole chain, again and again. Never rejects. */
  async #verify(): Promise<void> {
    while (this.#isOn()) {
      const { tip, hash } = this.#options.app.log.last;
      try {
        await this.#verifyUpTo(tip.sequence);
        if (!this.#isOn()) return;
        if (tip.sequence > 0 && this.#position.sequence === tip.sequence && this.#position.hash !== hash) {
          throw damaged(
            tip.sequence,
            `event ${tip.sequence} is not the one that was written: it was changed`,
          );
        }
        this.#passedAt = this.#now();
        this.#position = CHAIN_START;
        await this.#save();
        await this.#pause(this.#options.settings.pauseMs);
      } catch (error) {
        this.#take(error);
        await this.#pause(RETRY_MS);
      }
    }
  }

  async #verifyUpTo(end: number): Promise<void> {
    const { eventsPerSecond } = this.#options.settings;
    const chunk = Math.min(MAX_CHUNK_EVENTS, eventsPerSecond);
    while (this.#isOn() && this.#position.sequence < end) {
      const began = performance.now();
      const from = this.#position;
      const to = Math.min(from.sequence + chunk, end);
      this.#position = await this.#readTwice(from, to);
      if (performance.now() - this.#savedAt > SAVE_MS) await this.#save();
      const spentMs = performance.now() - began;
      await this.#pause((1_000 * (to - from.sequence)) / eventsPerSecond - spentMs);
    }
  }

  async #readTwice(from: ChainPosition, to: number): Promise<ChainPosition> {
    try {
      return await this.#read(from, to);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#pause(SECOND_LOOK_MS);
      return this.#read(from, to);
    }
  }

  #read(from: ChainPosition, to: number): Promise<ChainPosition> {
    const { log, environment } = this.#options.app;
    let seen = from.sequence;
    const slice = slices();
    const work = verifyChain(log.messages, from, to, (bytes) => {
      seen++;
      return slice(bytes);
    });
    const late = (): never => {
      throw damaged(seen + 1, `the NATS server does not deliver event ${seen + 1}: its store may be damaged`);
    };
    return withLimit(work, CHUNK_LIMIT_MS, late, environment.clock);
  }

  #take(error: unknown): void {
    if (!this.#isOn()) return;
    if (isDamage(error)) this.report(error);
    else this.#options.logger.debug({ err: error }, 'the log cannot be verified at the moment');
  }

  async #note(): Promise<void> {
    const { app, dataDirectory, logger } = this.#options;
    if (this.#isNoted || app.log.damage === null) return;
    this.#isNoted = true;
    const note: DamageNote = { ...findingOf(app.log.damage), found_at: this.#now() };
    await writeJson(noteFile(dataDirectory), note).catch((err: unknown) => {
      this.#isNoted = false;
      logger.error({ err }, `could not note the damage of the log: ${messageOf(err)}`);
    });
  }

  async #save(): Promise<void> {
    this.#savedAt = performance.now();
    const { dataDirectory, logger } = this.#options;
    const progress: Progress = { position: this.#position, passed_at: this.#passedAt };
    await writeJson(progressFile(dataDirectory), progress).catch((err: unknown) => {
      logger.warn({ err }, `could not save how far the log is verified: ${messageOf(err)}`);
    });
  }

  #isOn(): boolean {
    const { log } = this.#options.app;
    return !this.#closing.signal.aborted && (log.damage === null || !this.#isNoted);
  }

  #pause(ms: number): Promise<void> {
    return pause(Math.max(ms, 0), this.#closing.signal, this.#options.app.environment.clock);
  }

  #now(): string {
    return new Date(this.#options.app.environment.clock.now()).toISOString();
  }
}

/** Lets other work run after every few milliseconds of verifying. */
function slices(): (bytes: number) => Promise<void> | undefined {
  let events = 0;
  let bytes = 0;
  return (more) => {
    events++;
    bytes += more;
    if (events < SLICE_EVENTS && bytes < SLICE_BYTES) return undefined;
    events = 0;
    bytes = 0;
    return nextTurn();
  };
}

/** The damage that an earlier run has found; null if there is none. @throws Error if the note cannot be read */
export function readDamageNote(dataDirectory: string): Promise<DamageNote | null> {
  return readJson(noteFile(dataDirectory), noteSchema);
}

/**
 * If an earlier run has found damage, verifies the whole log, and forgets the damage if there is none any more.
 * @param end the last event
 * @throws SignalboxError `log_corrupt`, `nats_unavailable`
 */
export async function verifyIfDamageWasFound(
  dataDirectory: string,
  reader: Pick<LogReader, 'read'>,
  end: number,
  logger: Logger,
): Promise<void> {
  const isNoted = await readDamageNote(dataDirectory).then(
    (note) => note !== null,
    () => true,
  );
  if (!isNoted) return;
  logger.warn('an earlier run found damage in the log: verifying the whole log first');
  await verifyChain(reader, CHAIN_START, end, slices());
  await rm(progressFile(dataDirectory), { force: true });
  await rm(noteFile(dataDirectory), { force: true });
  logger.info({ events: end }, 'the log is complete and unchanged: its damage was repaired');
}

export function isDamage(error: unknown): error is SignalboxError {
  return error instanceof SignalboxError && error.code === 'log_corrupt';
}

function findingOf({ message, details }: SignalboxError): { sequence: number | null; message: string } {
  const sequence = z.int().min(1).safeParse(details.sequence);
  return { sequence: sequence.success ? sequence.data : null, message };
}

function progressFile(dataDirectory: string): string {
  return join(dataDirectory, 'audit', 'verified.json');
}

function noteFile(dataDirectory: string): string {
  return join(dataDirectory, 'audit', 'log-damage.json');
}
