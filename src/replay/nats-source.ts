import type { NatsConnection } from '@nats-io/transport-node';
import { JetStreamFollower } from '../journal/jetstream-follower.ts';
import type { StoredMessage } from '../journal/journal.ts';
import { type EventSelection, type LiveEventSource, subjectOf } from './event-source.ts';

/**
 * The log on a NATS server, read with the rights of this connection, which stays the caller's own.
 * @throws SignalboxError `not_found` where the server has no log, `nats_unavailable`
 */
export async function natsSource(connection: NatsConnection): Promise<LiveEventSource> {
  const log = await JetStreamFollower.open(connection);
  return {
    name: `the log at nats://${connection.getServer()}`,
    lastSequence: () => log.lastSequence(),
    read: (selection: EventSelection = {}): AsyncIterable<StoredMessage> =>
      log.read({ from: selection.from ?? 1, to: selection.to, subject: subjectOf(selection) }),
    follow: (selection, signal) =>
      log.follow({ from: selection.from ?? 1, subject: subjectOf(selection) }, signal),
  };
}
