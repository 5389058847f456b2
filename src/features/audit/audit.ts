/** The audit status of a running Signalbox, and the verification of its log on request. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AppContext, Needs } from '../../app/context.ts';
import { withLimit } from '../../base/time.ts';
import type {
  AuditStatusAnswer,
  IntegrityAnswer,
  VerificationAnswer,
} from '../../contracts/api/audit-status.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type StoredRecord, SUPERVISOR_ID } from '../../contracts/events/events.ts';
import { supervisorFilter } from '../../contracts/messages/subjects.ts';
import { readRecords } from '../../journal/codec/cloud-event.ts';
import { damaged } from '../../journal/failures.ts';
import { type AuditFinding, anchorsIn, type FindingKind, liveItems } from './log-items.ts';
import { LogWatch, type LogWatchSettings } from './log-watch.ts';
import { LogVerifier } from './verifier.ts';

export interface LogCheckOptions {
  readonly app: Needs<'log.messages' | 'log.last' | 'environment'>;
  readonly dataDirectory: string;
  readonly logger: Logger;
  /** Called for a confirmed finding. */
  readonly onFinding?: (finding: AuditFinding) => void;
}

export interface AuditOptions extends Omit<LogCheckOptions, 'onFinding'> {
  readonly app: AppContext;
  readonly watch: LogWatchSettings;
}

/** Findings after which nothing may be written. The others are about keys, signatures and unfinished redactions. */
const DAMAGE: ReadonlySet<FindingKind> = new Set([
  'gap',
  'order',
  'unreadable',
  'chain',
  'identity',
  'subject',
  'version',
  'truncated',
  'other_log',
]);

type CheckpointStatus = AuditStatusAnswer['checkpoint'];

export class Audit {
  readonly #app: AppContext;
  readonly #check: LogCheck;
  readonly #watch: LogWatch;
  readonly #stopListening: () => void;
  #keys: number;
  #checkpoint: CheckpointStatus;

  private constructor(options: AuditOptions, watch: LogWatch, keys: number, checkpoint: CheckpointStatus) {
    this.#app = options.app;
    this.#watch = watch;
    this.#check = new LogCheck({
      ...options,
      onFinding: ({ kind, sequence, message }) => {
        if (DAMAGE.has(kind)) watch.report(damaged(sequence, message));
      },
    });
    this.#keys = keys;
    this.#checkpoint = checkpoint;
    this.#stopListening = options.app.log.onRecord((record) => this.#onRecord(record));
  }

  /** Call it before the checkpointer starts. @throws SignalboxError `nats_unavailable` */
  static async open(options: AuditOptions): Promise<Audit> {
    let keys = 0;
    for await (const _ of options.app.log.messages.readByFilter(supervisorFilter('key_introduced'))) keys++;
    const checkpoint = await newestCheckpoint(options.app);
    return new Audit(options, await LogWatch.open({ ...options, settings: options.watch }), keys, checkpoint);
  }

  /** What is known of damage to the log. */
  get integrity(): IntegrityAnswer {
    return this.#watch.integrity;
  }

  status(): AuditStatusAnswer {
    const { tip, hash } = this.#app.log.last;
    return {
      sequence: tip.sequence,
      head_sha256: hash,
      keys: this.#keys,
      checkpoint: this.#checkpoint,
      unsigned_events: tip.sequence - (this.#checkpoint?.sequence ?? 0),
      integrity: this.integrity,
      verification: this.#check.verification,
    };
  }

  /** Starts to verify the whole log, unless a verification is running. @param by who requests it */
  verify(by: string): AuditStatusAnswer {
    this.#check.start(by);
    return this.status();
  }

  async close(): Promise<void> {
    this.#stopListening();
    await Promise.all([this.#check.close(), this.#watch.close()]);
  }

  #onRecord(record: StoredRecord): void {
    if (record.event.type === 'supervisor.key_introduced') this.#keys++;
    this.#checkpoint = checkpointIn(record) ?? this.#checkpoint;
  }
}

/** Its record comes soon after the last event that it covers. */
async function newestCheckpoint({
  state,
  log,
}: Needs<'state.host' | 'log.messages'>): Promise<CheckpointStatus> {
  const covered = state.host.get('supervisor', SUPERVISOR_ID)?.context.checkpoint ?? 0;
  if (covered === 0) return null;
  for await (const message of log.messages.read({ from: covered + 1 })) {
    for (const record of readRecords(message)) {
      const checkpoint = checkpointIn(record);
      if (checkpoint?.sequence === covered) return checkpoint;
    }
  }
  return null;
}

function checkpointIn({ event, time }: StoredRecord): CheckpointStatus {
  if (event.type !== 'supervisor.checkpointed') return null;
  return { sequence: event.sequence, time: new Date(time).toISOString(), key: event.key };
}

type Verification = { -readonly [Key in keyof VerificationAnswer]: VerificationAnswer[Key] };

/** Events and bytes that are verified without a pause: a few milliseconds. */
const SLICE_EVENTS = 50;
const SLICE_BYTES = 512 * 1_024;
const MAX_PASSES = 3;
/** How long `close` waits for a log that does not answer. */
const CLOSE_MS = 2_000;

/**
 * Verifies the log while Signalbox writes it, one verification at a time, in slices that let other work run in between.
 * The log is compared with what is known from elsewhere: the last event in memory, and the notes in the data directory.
 */
export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #closing = new AbortController();
  #verification: Verification | null = null;
  #running: Promise<void> | null = null;

  constructor(options: LogCheckOptions) {
    this.#options = options;
  }

  /** The newest verification; null before the first one. */
  get verification(): VerificationAnswer | null {
    return this.#verification && { ...this.#verification };
  }

  /** Does nothing if a verification is running. @param by who requests it */
  start(by: string): void {
    if (this.#running || this.#closing.signal.aborted) return;
    const verification: Verification = {
      state: 'running',
      by,
      started_at: this.#now(),
      ended_at: null,
      checked: 0,
      total: this.#options.app.log.last.tip.sequence,
      finding: null,
    };
    this.#verification = verification;
    this.#running = this.#verify(verification).finally(() => {
      this.#running = null;
    });
  }

  /** Aborts a running verification. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (!this.#running) return;
    await withLimit(this.#running, CLOSE_MS, () => {}, this.#options.app.environment.clock);
  }

  /** Never rejects. */
  async #verify(verification: Verification): Promise<void> {
    const { logger } = this.#options;
    try {
      const finding = await this.#confirmedFinding(verification);
      if (this.#closing.signal.aborted) return;
      verification.finding = finding && { sequence: finding.sequence, message: finding.message };
      if (finding) this.#options.onFinding?.(finding);
    } catch (error) {
      const message = `could not verify the log to its end: ${messageOf(error)}`;
      verification.finding = { sequence: null, message };
    }
    verification.state = verification.finding === null ? 'passed' : 'failed';
    verification.ended_at = this.#now();
    const { by, checked, finding } = verification;
    if (finding === null) logger.info({ by, events: checked }, 'log verification passed');
    else logger.error({ by, finding }, `log verification failed: ${finding.message}`);
  }

  /**
   * A finding counts if the next pass has the same one, or the last pass has any: an event that is redacted during a pass
   * is not damage.
   */
  async #confirmedFinding(verification: Verification): Promise<AuditFinding | null> {
    let before: AuditFinding | null = null;
    for (let pass = 1; ; pass++) {
      const found = await this.#firstFinding(verification);
      if (found === null || isSame(found, before) || pass === MAX_PASSES) return found;
      before = found;
    }
  }

  /** One pass up to the first finding; null if there is none, or if it was aborted. */
  async #firstFinding(verification: Verification): Promise<AuditFinding | null> {
    const { app, dataDirectory } = this.#options;
    // The anchors are read before the log, which grows in the meantime.
    const { tip, hash } = app.log.last;
    verification.total = tip.sequence;
    const anchors = [{ what: 'the running Signalbox', ...tip, hash }, ...(await anchorsIn(dataDirectory))];
    const findings: AuditFinding[] = [];
    const onFinding = (finding: AuditFinding): void => void findings.push(finding);
    const verifier = new LogVerifier({ first: 1, trusted: new Set(), anchors, onFinding });
    let events = 0;
    let bytes = 0;
    for await (const item of liveItems(app.log.messages)) {
      verifier.take(item);
      verification.checked = item.sequence;
      verification.total = Math.max(verification.total, item.sequence);
      if (findings.length > 0) break;
      events++;
      bytes += item.kind === 'message' ? item.bytes.length : 0;
      if (events < SLICE_EVENTS && bytes < SLICE_BYTES) continue;
      events = 0;
      bytes = 0;
      await nextTurn();
      if (this.#closing.signal.aborted) return null;
    }
    if (findings.length === 0) verifier.finish(true);
    return findings[0] ?? null;
  }

  #now(): string {
    return new Date(this.#options.app.environment.clock.now()).toISOString();
  }
}

function isSame(a: AuditFinding, b: AuditFinding | null): boolean {
  return a.kind === b?.kind && a.sequence === b.sequence;
}
