/** Reading the log without being its writer: nothing is made where there is none. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM } from '../contracts/subjects.ts';
import { isStreamMissing } from './event-stream.ts';
import { unavailable } from './failures.ts';
import { readMessages, readPresent, readSubject, readTip } from './jetstream-reader.ts';
import type { LogReader } from './redactions.ts';

/** Milliseconds to wait for each answer of the server. */
const TIMEOUT_MS = 10_000;

/** @throws SignalboxError `not_found` where the server has no log, `nats_unavailable` */
export async function openLogReader(connection: NatsConnection): Promise<LogReader> {
  const client = jetstream(connection, { timeout: TIMEOUT_MS });
  try {
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
    await manager.streams.info(EVENT_STREAM);
    return {
      tip: () => readTip(manager),
      read: (range) => readMessages(client, manager, range),
      readPresent: (range) => readPresent(client, manager, range),
      readBySubject: (prefix) => readSubject(client, `${prefix}.>`),
      readByFilter: (filter) => readSubject(client, filter),
    };
  } catch (cause) {
    if (!isStreamMissing(cause)) throw unavailable('the log cannot be read', cause);
    throw new SignalboxError(
      'not_found',
      `this NATS server has no stream ${EVENT_STREAM}: name the server and the account that Signalbox uses`,
      { cause },
    );
  }
}
