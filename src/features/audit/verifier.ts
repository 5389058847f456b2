/**
 * Verification of a log, item by item, in one pass.
 *
 * V1 Every finding names the sequence at which something is wrong, and a finding does not hide the next one.
 * V2 Memory is bounded by what is open and by the distance of two checkpoints, not by the length of the log.
 * V3 What is left out (in a bundle of some of the events) is bound by the checkpoints: they sign the list of hashes.
 */

import { sha256 } from '../../base/hash.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { eventSubject, subjectPartsOf } from '../../contracts/messages/subjects.ts';
import { decodeRecord, GENESIS_HASH } from '../../journal/codec/cloud-event.ts';
import type { Anchor } from './anchors.ts';
import { Checkpoints } from './checkpoints.ts';
import { EntityVersions } from './entity-versions.ts';
import { IdCount } from './id-count.ts';
import { type IntroducedKey, KeyChain } from './key-chain.ts';
import type { Finding, FindingKind, LogItem } from './log-item.ts';
import { PendingRedactions } from './pending-redactions.ts';

export interface VerifierOptions {
  /** The sequence with which the items begin; 1 for a whole log. */
  readonly first: number;
  /** Fingerprints of the keys that a chain of keys may begin with; empty: the first key is believed. */
  readonly trusted: ReadonlySet<string>;
  /** Keys that were introduced before the first item. */
  readonly earlierKeys?: readonly IntroducedKey[];
  /** What is known of the log from elsewhere. */
  readonly anchors?: readonly Anchor[];
  readonly onFinding: (finding: Finding) => void;
}

export interface Verification {
  readonly first: number;
  /** Sequence and hash of the last event; 0 and the hash of nothing for an empty log. */
  readonly last: number;
  readonly last_hash: string;
  /** Events with their content. */
  readonly events: number;
  readonly redacted: number;
  readonly omitted: number;
  readonly checkpoints: number;
  /** The last event that is covered by a checkpoint; what comes after it is bound by the hash chain alone. */
  readonly covered: number;
  /** Fingerprints, in the order of their introduction. */
  readonly keys: readonly string[];
  readonly findings: number;
}

export class LogVerifier {
  readonly #options: VerifierOptions;
  readonly #keys: KeyChain;
  readonly #checkpoints: Checkpoints;
  readonly #versions: EntityVersions;
  readonly #ids: IdCount;
  readonly #redactions = new PendingRedactions();
  #last: number;
  /** Hash of the item before; null where it is not known. */
  #hash: string | null;
  readonly #counts = { events: 0, redacted: 0, omitted: 0, findings: 0 };

  constructor(options: VerifierOptions) {
    this.#options = options;
    const isWhole = options.first === 1;
    this.#last = options.first - 1;
    this.#hash = isWhole ? GENESIS_HASH : null;
    this.#keys = new KeyChain(options.trusted);
    this.#checkpoints = new Checkpoints(this.#keys);
    this.#versions = new EntityVersions(isWhole);
    this.#ids = new IdCount(isWhole);
    for (const key of options.earlierKeys ?? []) this.#say('key', key.sequence, this.#keys.introduce(key));
  }

  /** @returns the record, where there is one that can be read */
  take(item: LogItem): StoredRecord | null {
    const { sequence } = item;
    if (!this.#place(sequence)) return null;
    const hash = item.kind === 'omitted' ? item.hash : (item.originalHash ?? sha256(item.bytes));
    for (const { what } of this.#anchorsAt(sequence).filter((each) => each.hash && each.hash !== hash)) {
      this.#say('other_log', sequence, `${what} says that event ${sequence} has another hash than ${hash}`);
    }
    const record = item.kind === 'omitted' ? null : this.#read(item);
    if (record === null) {
      this.#versions.skip(sequence);
      this.#ids.skip();
      if (item.kind === 'omitted') this.#counts.omitted++;
    } else {
      this.#check(item as Extract<LogItem, { kind: 'message' }>, record, hash);
    }
    this.#checkpoints.note(sequence, hash);
    this.#last = sequence;
    this.#hash = hash;
    return record;
  }

  /** To be called after the last item. @param isEnd whether it is the end of the log, and not only of a bundle */
  finish(isEnd: boolean): Verification {
    for (const { sequence, what } of this.#options.anchors ?? []) {
      if (!isEnd || sequence <= this.#last) continue;
      this.#say(
        'truncated',
        this.#last + 1,
        `the log ends at event ${this.#last}, but ${what} knows event ${sequence}`,
      );
    }
    for (const { sequence, problem } of this.#redactions.open()) this.#say('redaction', sequence, problem);
    const { trusted } = this.#options;
    if (trusted.size > 0 && this.#keys.current === null) {
      this.#say('key', null, 'nothing is signed: no event introduces a key');
    }
    return {
      first: this.#options.first,
      last: this.#last,
      last_hash: this.#hash ?? GENESIS_HASH,
      ...this.#counts,
      checkpoints: this.#checkpoints.count,
      covered: this.#checkpoints.covered,
      keys: this.#keys.keys.map(({ key }) => key),
    };
  }

  /** Whether the item comes after the one before it; what is missing in between is said and skipped. */
  #place(sequence: number): boolean {
    const expected = this.#last + 1;
    if (sequence < expected) {
      this.#say(
        'order',
        sequence,
        `event ${sequence} comes after event ${this.#last}: it is there twice, or in another's place`,
      );
      return false;
    }
    if (sequence > expected) {
      const missing =
        sequence === expected + 1 ? `event ${expected} is` : `the events ${expected} to ${sequence - 1} are`;
      this.#say(
        'gap',
        expected,
        `${missing} missing: deleted, or unreadable for the server, and no redaction says so`,
      );
      for (let each = expected; each < sequence; each++) this.#checkpoints.note(each, null);
      this.#versions.skip(sequence - 1);
      this.#ids.skip();
      this.#hash = null;
      this.#last = sequence - 1;
    }
    return true;
  }

  #read({ bytes, sequence }: Extract<LogItem, { kind: 'message' }>): StoredRecord | null {
    try {
      return { ...decodeRecord(Buffer.from(bytes).toString(), `sequence ${sequence}`), sequence };
    } catch (error) {
      this.#say('unreadable', sequence, messageOf(error));
      return null;
    }
  }

  #check(item: Extract<LogItem, { kind: 'message' }>, record: StoredRecord, hash: string): void {
    const { sequence, event } = record;
    if (this.#hash !== null && record.previousHash !== this.#hash) {
      const blamed = sequence === 1 ? 1 : sequence - 1;
      this.#say(
        'chain',
        blamed,
        `event ${sequence} was written after an event with the hash ${record.previousHash}, but event ${sequence - 1} has ${this.#hash}: one of the two was changed or exchanged`,
      );
    }
    for (const { what } of this.#anchorsAt(sequence).filter(({ id }) => id && id !== record.id)) {
      this.#say(
        'other_log',
        sequence,
        `${what} says that event ${sequence} has another id than ${record.id}`,
      );
    }
    this.#say('identity', sequence, this.#ids.check(record));
    if (item.id !== undefined && item.id !== record.id) {
      this.#say(
        'identity',
        sequence,
        `the message id is ${item.id || 'missing'}, the event says ${record.id}`,
      );
    }
    const subject = eventSubject(subjectPartsOf(event));
    if (item.subject !== undefined && item.subject !== subject) {
      this.#say(
        'subject',
        sequence,
        `it is filed under ${item.subject}, its content belongs under ${subject}`,
      );
    }
    for (const problem of this.#versions.check(record)) this.#say('version', sequence, problem);
    if (item.originalHash === undefined) this.#counts.events++;
    else {
      this.#counts.redacted++;
      this.#redactions.add(sequence, hash, item.bytes);
    }
    this.#checkMeaning(record);
  }

  #checkMeaning({ sequence, event }: StoredRecord): void {
    switch (event.type) {
      case 'supervisor.key_introduced':
        return this.#say('key', sequence, this.#keys.introduce({ ...event, sequence }));
      case 'supervisor.checkpointed':
        for (const problem of this.#checkpoints.check(event)) this.#say('checkpoint', sequence, problem);
        return;
      case 'task.redacted': {
        const isWhole = this.#options.first === 1 && this.#counts.omitted === 0;
        return this.#say('redaction', event.sequence, this.#redactions.settle(event, sequence, isWhole));
      }
      default:
    }
  }

  #anchorsAt(sequence: number): readonly Anchor[] {
    return (this.#options.anchors ?? []).filter((each) => each.sequence === sequence);
  }

  #say(kind: FindingKind, sequence: number | null, message: string | null): void {
    if (message === null) return;
    this.#counts.findings++;
    this.#options.onFinding({ sequence, kind, message });
  }
}
