/** The journal on JetStream: reading, and becoming the writer. The writer itself is in jetstream-writer.ts. */
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../../contracts/errors.ts';
import { unavailable } from '../failures.ts';
import { isSameTip, type Journal, type JournalEntry, type JournalHandlers } from '../journal.ts';
import { storeAlone } from './append.ts';
import { eraseMessage, openEventStream } from './event-stream.ts';
import { holdsSubject, missingIn, readExtent, readerOf } from './jetstream-reader.ts';
import { JetStreamWriter } from './jetstream-writer.ts';

export interface JetStreamJournalOptions {
  /** Messages in flight. Throughput is flat from about 1024 on. */
  readonly window?: number;
  /** Milliseconds to wait for an answer of the server. After that time without an acknowledgement the log is read. */
  readonly acknowledgementTimeoutMs?: number;
  readonly replicas?: number;
}

/**
 * @param connection should reconnect for ever (`maxReconnectAttempts: -1`): once it is closed, so is the journal
 * @throws SignalboxError `nats_unavailable`, `log_mismatch`
 */
export async function openJetStreamJournal<Entry extends JournalEntry>(
  connection: NatsConnection,
  handlers: JournalHandlers<Entry>,
  { window = 2_048, acknowledgementTimeoutMs: timeoutMs = 3_000, replicas = 1 }: JetStreamJournalOptions = {},
): Promise<Journal<Entry>> {
  const manager = await openEventStream(connection, { replicas, timeoutMs });
  const client = jetstream(connection, { timeout: timeoutMs });
  const writer = new JetStreamWriter({ connection, client, manager, handlers, window, timeoutMs });
  const reader = readerOf(client, manager);
  return {
    ...reader,
    get state() {
      return writer.state;
    },
    get backlog() {
      return writer.backlog;
    },
    extent: () => readExtent(manager),
    missing: () => missingIn(manager),
    holds: (subject) => holdsSubject(manager, subject),
    erase: (sequence) => eraseMessage(manager, sequence),
    /** The first message of the new writer breaks the chain of an earlier one (journal/one-writer). */
    async takeOver(tip, entry) {
      const present = await reader.tip();
      if (!isSameTip(present, tip)) return { ok: false, tip: present };
      try {
        await storeAlone(client, entry, tip.sequence);
      } catch (cause) {
        const now = await reader.tip();
        if (isSameTip(now, tip)) throw unavailable('could not store the first event', cause);
        // The entry may be stored although the answer was lost.
        if (now.sequence !== tip.sequence + 1 || now.id !== entry.id) return { ok: false, tip: now };
      }
      if (writer.isClosed) {
        throw new SignalboxError('internal', 'the journal was closed while it took over the log');
      }
      writer.begin({ sequence: tip.sequence + 1, id: entry.id });
      return { ok: true };
    },
    append: (entry) => writer.append(entry),
    halt: (error) => writer.halt(error),
    close: async () => writer.close(),
  };
}
