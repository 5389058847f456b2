/**
 * Signs the log: after a number of events, after a time if there were events, and at the stop.
 *
 * Invariant audit/checkpoints-signed: checkpoints cover the log from the introduction of the first key on, without gap or
 * overlap. Each signs the hash of its last event and the list of all hashes, so that a part of the events can be proved
 * without the others (docs/reference/audit.md). The next checkpoint covers the events of one that could not be written.
 */
import type { Logger } from 'pino';
import type { AppContext, CheckpointKeys, Needs } from '../../app/context.ts';
import { withLimit } from '../../base/time.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type StoredRecord, SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { supervisorFilter } from '../../contracts/messages/subjects.ts';
import { chainHashOf } from '../../journal/redactions.ts';
import type { SigningKeys } from './key-file.ts';
import { checkpointText, digestOf, type SigningKey, successionText } from './keys.ts';

export interface CheckpointerOptions {
  readonly keys: SigningKeys;
  readonly logger: Logger;
  /** Events after which it signs. */
  readonly everyEvents?: number;
  /** Milliseconds after which it signs, if there were events. */
  readonly everyMs?: number;
}

const EVERY_EVENTS = 1_000;
const EVERY_MS = 300_000;
/** How long `stop` waits for the last checkpoint. */
const STOP_MS = 2_000;
const ACTOR = 'supervisor';

export class Checkpointer implements CheckpointKeys {
  readonly #options: Required<CheckpointerOptions>;
  #key: SigningKey;
  #app: AppContext | null = null;
  /** First event that the next checkpoint covers, and the hashes from that event on. */
  #from = 0;
  #hashes: string[] = [];
  /** One at a time, so that no signature is made with a key that is being replaced. */
  #work: Promise<void> = Promise.resolve();
  #isDue = false;
  #cancelTimer: (() => void) | null = null;
  #stopListening: () => void = () => {};

  private constructor(options: CheckpointerOptions, key: SigningKey) {
    this.#options = { everyEvents: EVERY_EVENTS, everyMs: EVERY_MS, ...options };
    this.#key = key;
  }

  /** @throws SignalboxError `config_invalid` if the key cannot be used */
  static async open(options: CheckpointerOptions): Promise<Checkpointer> {
    return new Checkpointer(options, await options.keys.load());
  }

  /** Introduces the key if the log does not have it, and starts. Call it once, after the take-over. */
  async start(app: AppContext): Promise<void> {
    this.#app = app;
    await this.#agreeOnKey(app);
    const arrived: StoredRecord[] = [];
    let add = (record: StoredRecord): void => {
      arrived.push(record);
    };
    this.#stopListening = app.log.onRecord((record) => add(record));
    this.#from = await firstUncovered(app);
    for await (const message of app.log.messages.read({ from: this.#from }))
      this.#hashes.push(chainHashOf(message));
    add = (record) => this.#onRecord(record);
    for (const record of arrived) this.#onRecord(record);
    if (this.#hashes.length > 0) this.#schedule();
  }

  /** Signs what is not covered yet, and stops. */
  async stop(): Promise<void> {
    const app = this.#app;
    if (!app) return;
    this.#stopListening();
    this.#cancelTimer?.();
    const written = this.#enqueue(() => this.#write(app));
    await withLimit(written, STOP_MS, () => {}, app.environment.clock);
  }

  async rotate(actor: string): Promise<{ readonly key: string; readonly public_key: string }> {
    const app = this.#app;
    if (!app) throw new SignalboxError('log_unavailable', 'Signalbox is starting: try again in a moment');
    const { keys } = this.#options;
    const next = await keys.prepareNext();
    await this.#enqueue(async () => {
      await introduce(app, next, this.#key, actor);
      this.#key = next;
      await keys.adoptNext();
    });
    return { key: next.fingerprint, public_key: next.publicKey };
  }

  async #agreeOnKey(app: AppContext): Promise<void> {
    const { keys, logger } = this.#options;
    const present = app.state.host.get('supervisor', SUPERVISOR_ID)?.context.key ?? null;
    if (present === this.#key.fingerprint) return;
    const next = await keys.unfinished();
    if (next && next.fingerprint === present) {
      await keys.adoptNext();
      this.#key = next;
      return;
    }
    if (present !== null) {
      logger.warn(
        { key: this.#key.fingerprint, earlier: present, file: keys.path },
        'the log was signed with a key that is not in this data directory: restore the file of that key, or no key vouches for the new one',
      );
    }
    await introduce(app, this.#key, null, ACTOR);
  }

  #onRecord({ sequence, previousHash, event }: StoredRecord): void {
    // A record contains the hash of the previous one.
    if (sequence - 1 === this.#from + this.#hashes.length) this.#hashes.push(previousHash);
    if (event.type === 'supervisor.checkpointed') return;
    if (this.#hashes.length >= this.#options.everyEvents) this.#writeSoon();
    else this.#schedule();
  }

  #schedule(): void {
    if (!this.#app) return;
    this.#cancelTimer ??= this.#app.environment.clock.schedule(this.#options.everyMs, () =>
      this.#writeSoon(),
    );
  }

  #writeSoon(): void {
    const app = this.#app;
    if (this.#isDue || !app) return;
    this.#isDue = true;
    void this.#enqueue(async () => {
      this.#isDue = false;
      await this.#write(app);
    });
  }

  /** Never rejects. */
  async #write(app: AppContext): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const hash = this.#hashes.at(-1);
    if (hash === undefined) return;
    const covered = this.#hashes.length;
    const from = this.#from;
    const checkpoint = { from, sequence: from + covered - 1, hash, digest: digestOf(this.#hashes) };
    const signed = {
      ...checkpoint,
      key: this.#key.fingerprint,
      signature: this.#key.sign(checkpointText(checkpoint)),
    };
    try {
      await app.log.commit({ type: 'supervisor.checkpointed', ...signed }, { actor: ACTOR });
      this.#from += covered;
      this.#hashes = this.#hashes.slice(covered);
      await this.#options.keys.noteCheckpoint(signed);
    } catch (error) {
      this.#options.logger.warn(
        { err: error },
        `could not write a checkpoint: ${messageOf(error)}; the next one covers its events`,
      );
    }
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }
}

/** The event after the newest checkpoint; without checkpoints, the introduction of the first key. */
async function firstUncovered({ state, log }: Needs<'state.host' | 'log.messages'>): Promise<number> {
  const covered = state.host.get('supervisor', SUPERVISOR_ID)?.context.checkpoint ?? 0;
  if (covered > 0) return covered + 1;
  for await (const { sequence } of log.messages.readByFilter(supervisorFilter('key_introduced')))
    return sequence;
  throw new SignalboxError('internal', 'the log has no signing key, although one was introduced');
}

/** @param earlier the key that vouches for it, if there is one */
async function introduce(
  app: AppContext,
  key: SigningKey,
  earlier: SigningKey | null,
  actor: string,
): Promise<void> {
  const event = {
    type: 'supervisor.key_introduced',
    key: key.fingerprint,
    public_key: key.publicKey,
    ...(earlier && {
      signed_by: earlier.fingerprint,
      signature: earlier.sign(successionText(earlier.fingerprint, key.fingerprint)),
    }),
  } as const;
  await app.log.commit(event, { actor });
}
