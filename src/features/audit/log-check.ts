/**
 * The whole log verified by the Signalbox that writes it, while it goes on.
 *
 * LC1 There is one verification at a time. It gives way to everything else after each slice, and its memory is that of
 *     the verifier (verifier.ts V2).
 * LC2 A finding counts when the next look finds the same in the same place, or a third one finds anything: what is
 *     redacted between two of its reads is not taken for damage.
 * LC3 What the log is held against is known apart from it: the end that this Signalbox has in memory, and what the data
 *     directory has noted.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Needs } from '../../app/context.ts';
import { withLimit } from '../../base/time.ts';
import type { VerificationAnswer } from '../../contracts/api/audit-status.ts';
import { messageOf } from '../../contracts/errors.ts';
import { type Anchor, anchorsIn } from './anchors.ts';
import { liveItems } from './live-items.ts';
import type { Finding } from './log-item.ts';
import { LogVerifier } from './verifier.ts';

export interface LogCheckOptions {
  readonly app: Needs<'log.messages' | 'log.last' | 'environment'>;
  readonly dataDirectory: string;
  readonly logger: Logger;
}

type Verification = { -readonly [Key in keyof VerificationAnswer]: VerificationAnswer[Key] };

/** Events and bytes that are verified at one go: a few milliseconds. */
const SLICE_EVENTS = 50;
const SLICE_BYTES = 512 * 1_024;
const LOOKS_MAX = 3;
/** Milliseconds that a stop waits for a log that does not answer. */
const CLOSE_MS = 2_000;

export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #closing = new AbortController();
  #verification: Verification | null = null;
  #running: Promise<void> | null = null;

  constructor(options: LogCheckOptions) {
    this.#options = options;
  }

  /** The newest, as it is now; null before the first. */
  get verification(): VerificationAnswer | null {
    return this.#verification && { ...this.#verification };
  }

  /** Begins with the first event; where one is under way, that one goes on. @param by who asks for it */
  start(by: string): void {
    if (this.#running || this.#closing.signal.aborted) return;
    const { log } = this.#options.app;
    const total = log.last.tip.sequence;
    const started_at = this.#now();
    const begun = { by, started_at, ended_at: null, checked: 0, total, finding: null };
    const verification: Verification = { state: 'running', ...begun };
    this.#verification = verification;
    this.#running = this.#verify(verification).finally(() => {
      this.#running = null;
    });
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (!this.#running) return;
    await withLimit(this.#running, CLOSE_MS, () => {}, this.#options.app.environment.clock);
  }

  /** Never rejects. */
  async #verify(verification: Verification): Promise<void> {
    const { logger } = this.#options;
    try {
      const finding = await this.#confirmed(verification);
      if (this.#closing.signal.aborted) return;
      verification.finding = finding && { sequence: finding.sequence, message: finding.message };
    } catch (error) {
      const message = `the log could not be verified to its end: ${messageOf(error)}`;
      verification.finding = { sequence: null, message };
    }
    verification.state = verification.finding === null ? 'passed' : 'failed';
    verification.ended_at = this.#now();
    const { by, checked, finding } = verification;
    if (finding === null)
      logger.info({ by, events: checked }, 'the log was verified: nothing is wrong with it');
    else logger.error({ by, finding }, `the log was verified, and something is wrong: ${finding.message}`);
  }

  /** LC2 */
  async #confirmed(verification: Verification): Promise<Finding | null> {
    let before: Finding | null = null;
    for (let looks = 1; ; looks++) {
      const found = await this.#look(verification);
      if (found === null || isSame(found, before) || looks === LOOKS_MAX) return found;
      before = found;
    }
  }

  /** One pass, to the first thing that is wrong; null where nothing is, and where it was broken off. */
  async #look(verification: Verification): Promise<Finding | null> {
    const { app } = this.#options;
    const findings: Finding[] = [];
    const verifier = new LogVerifier({
      first: 1,
      trusted: new Set(),
      anchors: await this.#anchors(verification),
      onFinding: (finding) => findings.push(finding),
    });
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

  /** Noted before the log is read: the marks move on meanwhile. */
  async #anchors(verification: Verification): Promise<readonly Anchor[]> {
    const { app, dataDirectory } = this.#options;
    const { tip, hash } = app.log.last;
    verification.total = tip.sequence;
    const own = { what: 'the Signalbox that writes it', ...tip, hash };
    return [own, ...(await anchorsIn(dataDirectory))];
  }

  #now(): string {
    return new Date(this.#options.app.environment.clock.now()).toISOString();
  }
}

function isSame(a: Finding, b: Finding | null): boolean {
  return a.kind === b?.kind && a.sequence === b.sequence;
}
