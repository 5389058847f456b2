import type { NatsConnection } from '@nats-io/transport-node';
import { type LiveLogReader, openLogReader } from '../../journal/jetstream/jetstream-reader.ts';
import { tombstones } from '../../journal/redactions.ts';
import { type LiveEventSource, subjectOf } from './event-source.ts';
import { journalSource } from './journal-source.ts';

/**
 * The log on a NATS server, read with the rights of this connection, which stays the caller's own.
 * @throws SignalboxError `not_found` where the server has no log, `nats_unavailable`
 */
export async function natsSource(connection: NatsConnection): Promise<LiveEventSource> {
  return liveSource(await openLogReader(connection), `the log at nats://${connection.getServer()}`);
}

/** What a reader of the log gives, with what stands for erased events. */
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
