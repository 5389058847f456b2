/** Reading the log without being its writer: nothing is made where there is none, and no lease is taken. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM } from '../contracts/messages/subjects.ts';
import { refuseGap, unavailable } from './failures.ts';
import { isStreamMissing } from './jetstream/event-stream.ts';
import { type LiveRequest, readLive } from './jetstream/jetstream-follower.ts';
import { readMessages, readSubject, readTip } from './jetstream/jetstream-reader.ts';
import type { StoredMessage } from './journal.ts';
import type { LogReader } from './redactions.ts';

/** Milliseconds to wait for each answer of the server. */
const TIMEOUT_MS = 10_000;

export interface LiveLogReader extends LogReader {
  /**
   * What is stored from a place on, where nothing may stand yet, until the signal is aborted. It outlives a server that
   * goes away and comes back.
   * @throws SignalboxError `log_corrupt` where a message is missing, `nats_unavailable`
   */
  readLive(request: LiveRequest, signal: AbortSignal): AsyncIterable<StoredMessage>;
}

/** @throws SignalboxError `not_found` where the server has no log, `nats_unavailable` */
export async function openLogReader(connection: NatsConnection): Promise<LiveLogReader> {
  const client = jetstream(connection, { timeout: TIMEOUT_MS });
  try {
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
    await manager.streams.info(EVENT_STREAM);
    return {
      tip: () =>
        readTip(manager).catch((cause: unknown) => {
          throw unavailable('the log cannot be looked at', cause);
        }),
      read: (range, fill = refuseGap) => readMessages(client, manager, range, fill),
      readPresent: (range) => readMessages(client, manager, range, null),
      readBySubject: (prefix, from) => readSubject(client, `${prefix}.>`, from),
      readByFilter: (filter) => readSubject(client, filter),
      readLive: (request, signal) => readLive(client, request, signal),
    };
  } catch (cause) {
    if (!isStreamMissing(cause)) throw unavailable('the log cannot be read', cause);
    throw new SignalboxError(
      'not_found',
      `this NATS server has no stream ${EVENT_STREAM}: no Signalbox has run on it, or it uses another account. Name the server and the account that Signalbox uses`,
      { cause },
    );
  }
}
