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
  const raw = await rawReadRate(connection);
  const journal = await openReader(connection);
  const replayStart = performance.now();
  await rebuild(journal.read({ from: 1 }), new ActorHost(), Projections.unseen());
  const replaySeconds = (performance.now() - replayStart) / 1_000;
  return {
    events: raw.events,
    raw: raw.rate,
    replay: raw.events / replaySeconds,
    bytesPerEvent: Math.round(raw.bytes / raw.events),
  };
}

/** Reads the whole log and parses it as JSON, nothing more. */
export async function rawReadRate(
  connection: NatsConnection,
): Promise<{ events: number; bytes: number; seconds: number; rate: number }> {
  const journal = await openReader(connection);
  let events = 0;
  let bytes = 0;
  const start = performance.now();
  for await (const message of journal.read({ from: 1 })) {
    JSON.parse(Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.length).toString());
    bytes += message.bytes.length;
    events++;
  }
  const seconds = (performance.now() - start) / 1_000;
  return { events, bytes, seconds, rate: events / seconds };
}
