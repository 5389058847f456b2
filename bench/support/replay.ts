/** The rate at which state is rebuilt from the log, compared with only reading and parsing it. */
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { threadFor } from '../../src/daemon/read-ahead.ts';
import { recover } from '../../src/engine/runtime/recover.ts';
import { openJetStreamJournal } from '../../src/journal/jetstream/jetstream-journal.ts';
import type { Journal, JournalEntry } from '../../src/journal/journal.ts';
import { RETENTION } from './engine.ts';
import type { BenchServer } from './server.ts';

async function openReader(connection: NatsConnection): Promise<Journal<JournalEntry>> {
  return openJetStreamJournal(connection, { onStored: () => {}, onState: () => {} });
}

export interface ReadRates {
  readonly events: number;
  /** Events per second, only parsed as JSON. */
  readonly raw: number;
  /** Events per second as at a start: verified, and applied to machines and projections. */
  readonly replay: number;
  readonly bytesPerEvent: number;
}

/** @param reader a connection to the server */
export async function readRates(server: BenchServer, reader: NatsConnection): Promise<ReadRates> {
  const raw = await rawReadRate(reader);
  const journal = await openReader(reader);
  const logger = pino({ level: 'warn' });
  const readAhead = threadFor(server.address, logger);
  const replayStart = performance.now();
  await recover({ journal, readAhead, limits: RETENTION, snapshots: null, logger });
  const replaySeconds = (performance.now() - replayStart) / 1_000;
  return {
    events: raw.events,
    raw: raw.rate,
    replay: raw.events / replaySeconds,
    bytesPerEvent: Math.round(raw.bytes / raw.events),
  };
}

/** Reads the whole log and parses it as JSON, in one thread. */
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
