/**
 * The sources of a replay: the log over NATS, a journal, messages in memory, a file (file-source.ts).
 *
 * A source yields every selected event in the order of the log, with the bytes that were stored. Reading changes
 * nothing: a source takes no lease, writes nothing and starts nothing.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { projectSubject, taskSubject } from '../../contracts/messages/subjects.ts';
import {
  readRecords as decodedRecords,
  GENESIS_HASH,
  type Message,
} from '../../journal/codec/cloud-event.ts';
import { type LiveLogReader, openLogReader } from '../../journal/jetstream/jetstream-reader.ts';
import type { LogReader, StoredMessage } from '../../journal/journal.ts';
import { chainHashOf, tombstones, withTombstones } from '../../journal/redactions.ts';
import { brokenChain } from '../runtime/rebuild.ts';

export interface EventSelection {
  /** First sequence; default: 1. */
  readonly from?: number;
  /** Last sequence, inclusive; default and maximum: the end at the time of the call. */
  readonly to?: number;
  /** Only events of this project. Events of agents and of the supervisor belong to no project. */
  readonly project?: string;
  /** Only events of this task and its attempts; needs `project`. */
  readonly task?: string;
}

export interface EventSource {
  /** For messages: `the log at nats://127.0.0.1:4222`, `the file history.ndjson`. */
  readonly name: string;
  /** Sequence of the last event; 0 if there is none. @throws SignalboxError `nats_unavailable` */
  lastSequence(): Promise<number>;
  /** @throws SignalboxError `log_corrupt` if an event is missing, `nats_unavailable` */
  read(selection?: EventSelection): AsyncIterable<StoredMessage>;
}

/** A source that can be followed as events are stored. */
export interface LiveEventSource extends EventSource {
  /**
   * The selected events from `from` on, then each as it is stored, until the signal is aborted.
   * @throws SignalboxError `log_corrupt` if an event is missing, `nats_unavailable`
   */
  follow(selection: Omit<EventSelection, 'to'>, signal: AbortSignal): AsyncIterable<StoredMessage>;
}

/** The subject of all selected events; undefined if all events are selected. */
export function subjectOf({ project, task }: EventSelection): string | undefined {
  if (project === undefined) return undefined;
  return task === undefined ? projectSubject(project) : taskSubject({ project, task });
}

/** For sources that read all events and skip those that are not selected. */
export function isSelected(message: StoredMessage, selection: EventSelection): boolean {
  const { from = 1, to = Number.POSITIVE_INFINITY } = selection;
  if (message.sequence < from || message.sequence > to) return false;
  const subject = subjectOf(selection);
  return subject === undefined || message.subject.startsWith(`${subject}.`);
}

export function journalSource(journal: LogReader, name = 'the journal'): EventSource {
  const reader = withTombstones(journal);
  async function* readSubject(
    subject: string,
    { from, to = Number.POSITIVE_INFINITY }: EventSelection,
  ): AsyncIterable<StoredMessage> {
    for await (const message of reader.readBySubject(subject, from)) {
      if (message.sequence > to) return;
      yield message;
    }
  }
  return {
    name,
    lastSequence: async () => (await reader.tip()).sequence,
    read: (selection: EventSelection = {}) => {
      const { from = 1, to } = selection;
      const subject = subjectOf(selection);
      if (subject !== undefined) return readSubject(subject, selection);
      return reader.read(to === undefined ? { from } : { from, to });
    },
  };
}

/** Messages in memory, in the order of the log. */
export function memorySource(messages: readonly StoredMessage[], name = 'the history'): EventSource {
  async function* read(selection: EventSelection = {}): AsyncIterable<StoredMessage> {
    for (const message of messages) if (isSelected(message, selection)) yield message;
  }
  return { name, lastSequence: async () => messages.at(-1)?.sequence ?? 0, read };
}

/**
 * The log on a NATS server, read with the permissions of this connection, which the caller keeps and closes.
 * @throws SignalboxError `not_found` if the server has no log, `nats_unavailable`
 */
export async function natsSource(connection: NatsConnection): Promise<LiveEventSource> {
  return liveSource(await openLogReader(connection), `the log at nats://${connection.getServer()}`);
}

/** The events of a log reader, with tombstones in the place of erased ones. */
export function liveSource(log: LiveLogReader, name: string): LiveEventSource {
  const source = journalSource(log, name);
  return {
    ...source,
    async *follow(selection, signal) {
      const { from = 1 } = selection;
      const end = Math.max(await source.lastSequence(), from - 1);
      for await (const message of source.read({ ...selection, from, to: end })) {
        if (signal.aborted) return;
        yield message;
      }
      const rest = { from: end + 1, subject: subjectOf(selection), fill: tombstones(log) };
      yield* log.readLive(rest, signal);
    },
  };
}

/** Decodes messages and checks the hash chain between those that follow each other in the log. */
export class ChainCheck {
  #sequence: number;
  /** null if the previous record is not known. */
  #hash: string | null;

  /** @param after the sequence of the record before the first one */
  constructor(after = 0) {
    this.#sequence = after;
    this.#hash = after === 0 ? GENESIS_HASH : null;
  }

  /** @throws SignalboxError `log_corrupt`, `log_newer` */
  read(message: StoredMessage): Message<StoredRecord> {
    const records = decodedRecords(message);
    const isNext = message.sequence === this.#sequence + 1;
    if (isNext && this.#hash !== null && records[0].previousHash !== this.#hash)
      throw brokenChain(message.sequence);
    this.#sequence = message.sequence;
    this.#hash = chainHashOf(message);
    return records;
  }
}

/** The selected records of a source, with the hash chain checked. @throws SignalboxError `log_corrupt`, `log_newer`, `nats_unavailable` */
export async function* readRecords(
  source: EventSource,
  selection: EventSelection = {},
): AsyncIterable<StoredRecord> {
  const chain = new ChainCheck((selection.from ?? 1) - 1);
  for await (const message of source.read(selection)) yield* chain.read(message);
}
