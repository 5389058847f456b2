/**
 * Verifies a log or bundle item by item, in one pass. Memory is bounded by the open entities and by the distance of two
 * checkpoints, not by the length of the log.
 *
 * Invariant audit/chain-verifies: every change to a log is found, at the sequence where it was made, and a finding does
 * not hide the next one. Events that a bundle omits are bound by the checkpoints, which sign the list of all hashes.
 */
import { sha256 } from '../../base/hash.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { eventSubject, subjectPartsOfAll } from '../../contracts/messages/subjects.ts';
import { eventsOf, GENESIS_HASH, type Message, readRecords } from '../../journal/codec/cloud-event.ts';
import { Checkpoints, type IntroducedKey, KeyChain } from './checkpoints.ts';
import type { Anchor, AuditFinding, FindingKind, LogItem } from './log-items.ts';
import { EntityVersions, IdChain, PendingRedactions } from './record-checks.ts';

export interface VerifierOptions {
  /** Sequence of the first item; 1 for a whole log. */
  readonly first: number;
  /** Fingerprints that a chain of keys may begin with; if empty, the first key is trusted. */
  readonly trusted: ReadonlySet<string>;
  /** Keys that were introduced before the first item. */
  readonly earlierKeys?: readonly IntroducedKey[];
  readonly anchors?: readonly Anchor[];
  readonly onFinding: (finding: AuditFinding) => void;
}

export interface Verification {
  readonly first: number;
  /** Sequence and hash of the last event; 0 and the genesis hash for an empty log. */
  readonly last: number;
  readonly last_hash: string;
  /** Events with their content. */
  readonly events: number;
  readonly redacted: number;
  readonly omitted: number;
  readonly checkpoints: number;
  /** The last event that a checkpoint covers; only the hash chain binds later events. */
  readonly covered: number;
  /** Fingerprints in the order of their introduction. */
  readonly keys: readonly string[];
  readonly findings: number;
}

type MessageItem = Extract<LogItem, { kind: 'message' }>;

export class LogVerifier {
  readonly #options: VerifierOptions;
  readonly #keys: KeyChain;
  readonly #checkpoints: Checkpoints;
  readonly #versions: EntityVersions;
  readonly #ids: IdChain;
  readonly #redactions = new PendingRedactions();
  #last: number;
  /** Hash of the previous item; null if it is not known. */
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
    this.#ids = new IdChain(isWhole);
    for (const key of options.earlierKeys ?? []) this.#report('key', key.sequence, this.#keys.introduce(key));
  }

  /** @returns the records of the item; none if it is omitted or not readable */
  take(item: LogItem): readonly StoredRecord[] {
    const { sequence } = item;
    if (!this.#isNext(sequence)) return [];
    const hash = item.kind === 'omitted' ? item.hash : (item.originalHash ?? sha256(item.bytes));
    for (const { what } of this.#anchorsAt(sequence).filter((each) => each.hash && each.hash !== hash)) {
      this.#report(
        'other_log',
        sequence,
        `event ${sequence} has the hash ${hash}, but another one in ${what}`,
      );
    }
    const records = item.kind === 'omitted' ? null : this.#read(item);
    if (records === null || item.kind === 'omitted') {
      this.#versions.skip(sequence);
      this.#ids.skip();
      if (item.kind === 'omitted') this.#counts.omitted++;
    } else {
      this.#check(item, records, hash);
    }
    this.#checkpoints.note(sequence, hash);
    this.#last = sequence;
    this.#hash = hash;
    return records ?? [];
  }

  /** Called after the last item. @param isEnd whether the log ends here, not only the bundle */
  finish(isEnd: boolean): Verification {
    for (const { sequence, what } of this.#options.anchors ?? []) {
      if (!isEnd || sequence <= this.#last) continue;
      const message = `the log ends at event ${this.#last}, but ${what} has event ${sequence}`;
      this.#report('truncated', this.#last + 1, message);
    }
    for (const sequence of this.#redactions.open()) {
      this.#report(
        'redaction',
        sequence,
        `the content of event ${sequence} is erased, but no redaction names it`,
      );
    }
    const { trusted } = this.#options;
    if (trusted.size > 0 && this.#keys.current === null) {
      this.#report('key', null, 'the log is not signed: no event introduces a key');
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

  /** Whether the item comes after the previous one. Reports a gap before it, and skips the gap. */
  #isNext(sequence: number): boolean {
    const expected = this.#last + 1;
    if (sequence < expected) {
      const message = `event ${sequence} comes after event ${this.#last}: it is duplicated or misplaced`;
      this.#report('order', sequence, message);
      return false;
    }
    if (sequence > expected) {
      const missing =
        sequence === expected + 1 ? `event ${expected} is` : `events ${expected} to ${sequence - 1} are`;
      const message = `${missing} missing: deleted, or unreadable for the server, and no redaction explains it`;
      this.#report('gap', expected, message);
      for (let each = expected; each < sequence; each++) this.#checkpoints.note(each, null);
      this.#versions.skip(sequence - 1);
      this.#ids.skip();
      this.#hash = null;
      this.#last = sequence - 1;
    }
    return true;
  }

  #read(item: MessageItem): Message<StoredRecord> | null {
    try {
      return readRecords(item);
    } catch (error) {
      this.#report('unreadable', item.sequence, messageOf(error));
      return null;
    }
  }

  #check(item: MessageItem, records: Message<StoredRecord>, hash: string): void {
    const [first] = records;
    const { sequence, id, previousHash } = first;
    if (this.#hash !== null && previousHash !== this.#hash) {
      this.#report(
        'chain',
        Math.max(1, sequence - 1),
        `event ${sequence} follows an event with the hash ${previousHash}, but event ${sequence - 1} has ${this.#hash}: one of the two was changed or replaced`,
      );
    }
    for (const { what } of this.#anchorsAt(sequence).filter((each) => each.id && each.id !== id)) {
      this.#report('other_log', sequence, `event ${sequence} has the id ${id}, but another one in ${what}`);
    }
    this.#report('identity', sequence, this.#ids.check(first));
    if (item.id !== undefined && item.id !== id) {
      this.#report(
        'identity',
        sequence,
        `the message id is ${item.id || 'missing'}, but the event has the id ${id}`,
      );
    }
    const subject = eventSubject(subjectPartsOfAll(eventsOf(records)));
    if (item.subject !== undefined && item.subject !== subject) {
      this.#report(
        'subject',
        sequence,
        `the subject is ${item.subject}, but its content belongs to ${subject}`,
      );
    }
    for (const record of records)
      for (const problem of this.#versions.check(record)) this.#report('version', sequence, problem);
    if (item.originalHash === undefined) this.#counts.events++;
    else {
      this.#counts.redacted++;
      this.#redactions.add(sequence, hash, item.bytes);
    }
    for (const record of records) this.#checkMeaning(record);
  }

  #checkMeaning({ sequence, event }: StoredRecord): void {
    if (event.type === 'supervisor.key_introduced') {
      this.#report('key', sequence, this.#keys.introduce({ ...event, sequence }));
    } else if (event.type === 'supervisor.checkpointed') {
      for (const problem of this.#checkpoints.check(event)) this.#report('checkpoint', sequence, problem);
    } else if (event.type === 'task.redacted') {
      const isWhole = this.#options.first === 1 && this.#counts.omitted === 0;
      this.#report('redaction', event.sequence, this.#redactions.settle(event, sequence, isWhole));
    }
  }

  #anchorsAt(sequence: number): readonly Anchor[] {
    return (this.#options.anchors ?? []).filter((each) => each.sequence === sequence);
  }

  #report(kind: FindingKind, sequence: number | null, message: string | null): void {
    if (message === null) return;
    this.#counts.findings++;
    this.#options.onFinding({ sequence, kind, message });
  }
}
