/** How fast the log is turned into state again, next to only reading and parsing it. */
import type { NatsConnection } from '@nats-io/transport-node';
import { Projections } from '../projections/index.ts';
import { JetStreamJournal } from '../src/journal/jetstream-journal.ts';
import type { Journal, JournalEntry } from '../src/journal/journal.ts';
import { ActorHost } from '../src/runtime/actor-host.ts';
import { rebuild } from '../src/runtime/rebuild.ts';

async function openReader(connection: NatsConnection): Promise<Journal<JournalEntry>> {
  return JetStreamJournal.open(connection, { onStored: () => {}, onState: () => {} });
}

export interface ReadRates {
  readonly events: number;
  /** Events a second, JSON parsed and nothing more. */
  readonly raw: number;
  /** Events a second, checked, sent through machines and projections. */
  readonly replay: number;
  readonly bytesPerEvent: number;
}

export async function readRates(connection: NatsConnection): Promise<ReadRates> {
  const journal = await openReader(connection);
  let events = 0;
  let bytes = 0;
  const decoder = new TextDecoder();
  const rawStart = performance.now();
  for await (const message of journal.read({ from: 1 })) {
    JSON.parse(decoder.decode(message.bytes));
    bytes += message.bytes.length;
    events++;
  }
  const rawSeconds = (performance.now() - rawStart) / 1_000;
  const replayStart = performance.now();
  await rebuild(journal.read({ from: 1 }), new ActorHost(), new Projections());
  const replaySeconds = (performance.now() - replayStart) / 1_000;
  return {
    events,
    raw: events / rawSeconds,
    replay: events / replaySeconds,
    bytesPerEvent: Math.round(bytes / events),
  };
}
