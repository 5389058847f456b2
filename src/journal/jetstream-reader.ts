/** Reading the log: in order, without a gap, up to a fixed end. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type OrderedConsumerOptions,
} from '@nats-io/jetstream';
import { SignalboxError } from '../contracts/errors.ts';
import type { ReadRange, StoredMessage, Tip } from './journal.ts';
import { messageIdOf } from './publish-headers.ts';
import { EVENT_STREAM } from './subjects.ts';

/** Messages asked for at once: more gain nothing, fewer starve the reader between two pulls. */
const PULL_SIZE = 5_000;

export async function readTip(manager: JetStreamManager): Promise<Tip> {
  const { state } = await manager.streams.info(EVENT_STREAM);
  if (state.last_seq === 0) return { sequence: 0, id: '' };
  return { sequence: state.last_seq, id: await readId(manager, state.last_seq) };
}

/** The id of the message at `sequence`; empty where there is none. */
export async function readId(manager: JetStreamManager, sequence: number): Promise<string> {
  const message = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence });
  return messageIdOf(message?.header);
}

/** @throws SignalboxError `log_corrupt` where a sequence is missing. */
export async function* readMessages(
  client: JetStreamClient,
  manager: JetStreamManager,
  range: ReadRange,
): AsyncIterable<StoredMessage> {
  const to = range.to ?? (await manager.streams.info(EVENT_STREAM)).state.last_seq;
  if (range.from > to) return;
  let expected = range.from;
  const start = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: range.from };
  for await (const message of consume(client, start)) {
    if (message.seq !== expected) throw gap(expected, message.seq);
    yield stored(message);
    if (message.seq === to) return;
    expected++;
  }
  throw stopped(expected);
}

/** What the subject filter matches, up to the present end. */
export async function* readSubject(client: JetStreamClient, filter: string): AsyncIterable<StoredMessage> {
  for await (const message of consume(client, { filter_subjects: filter })) {
    yield stored(message);
    if (message.info.pending === 0) return;
  }
}

/** Ends by itself only where there is nothing to read; else the caller ends it. */
async function* consume(
  client: JetStreamClient,
  options: Partial<OrderedConsumerOptions>,
): AsyncIterable<JsMsg> {
  const consumer = await client.consumers.get(EVENT_STREAM, options);
  const info = await consumer.info(true);
  if (info.num_pending === 0) return;
  const messages = await consumer.consume({ max_messages: PULL_SIZE });
  try {
    yield* messages;
  } finally {
    await messages.close();
    await consumer.delete().catch(() => false);
  }
}

function stored(message: JsMsg): StoredMessage {
  return {
    sequence: message.seq,
    id: messageIdOf(message.headers),
    subject: message.subject,
    bytes: message.data,
  };
}

function stopped(expected: number): SignalboxError {
  return new SignalboxError(
    'nats_unavailable',
    `reading the log stopped before sequence ${expected}: the connection closed`,
  );
}

function gap(expected: number, found: number): SignalboxError {
  return new SignalboxError(
    'log_corrupt',
    `the log has no message ${expected}; the next one is ${found}. It was purged, or the store is damaged: restore it from a backup`,
    { details: { expected, found } },
  );
}
