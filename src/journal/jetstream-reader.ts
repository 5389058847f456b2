/** Reading the log: in order, without a gap, up to a fixed end. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type OrderedConsumerOptions,
} from '@nats-io/jetstream';
import { SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM, EVENT_SUBJECTS } from '../contracts/subjects.ts';
import { gap, unavailable } from './failures.ts';
import type { ReadRange, StoredMessage, Tip } from './journal.ts';
import { messageIdOf } from './publish-headers.ts';

/** Messages asked for at once: more gain nothing, fewer starve the reader between two pulls. */
const PULL_SIZE = 5_000;
/** Single messages asked for at once. */
const LOOK_UPS_AT_ONCE = 256;

/** @throws what the client throws: the caller tells a missing stream from a missing server. */
export async function readTip(manager: JetStreamManager): Promise<Tip> {
  const sequence = await lastSequence(manager);
  return sequence === 0 ? { sequence, id: '' } : { sequence, id: await readId(manager, sequence) };
}

/** @throws what the client throws */
export async function holdsSubject(manager: JetStreamManager, subject: string): Promise<boolean> {
  return (await manager.streams.getMessage(EVENT_STREAM, { last_by_subj: subject })) !== null;
}

/** The ids of the messages from `from` on, in order, some but not beyond `to`; empty where there is no message. */
export function readIds(manager: JetStreamManager, from: number, to: number): Promise<string[]> {
  const count = Math.min(to - from + 1, LOOK_UPS_AT_ONCE);
  return Promise.all(Array.from({ length: count }, (_, index) => readId(manager, from + index)));
}

async function readId(manager: JetStreamManager, sequence: number): Promise<string> {
  const message = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence });
  return messageIdOf(message?.header);
}

/** @throws SignalboxError `log_corrupt` where a sequence is missing, `nats_unavailable` */
export async function* readMessages(
  client: JetStreamClient,
  manager: JetStreamManager,
  range: ReadRange,
): AsyncIterable<StoredMessage> {
  const to = await endOf(manager, range);
  let expected = range.from;
  for await (const message of readPresent(client, manager, { from: range.from, to })) {
    if (message.sequence !== expected) throw gap(expected, message.sequence);
    yield message;
    expected++;
  }
  if (expected <= to) throw gap(expected, null);
}

/** The messages that are there. @throws SignalboxError `nats_unavailable` */
export async function* readPresent(
  client: JetStreamClient,
  manager: JetStreamManager,
  range: ReadRange,
): AsyncIterable<StoredMessage> {
  const to = await endOf(manager, range);
  if (range.from > to) return;
  const start = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: range.from };
  for await (const message of consume(client, start)) {
    if (message.seq > to) return;
    yield stored(message);
    if (message.seq === to) return;
    // Only a hint (old servers miscount), but without it a missing end would be waited for without end.
    if (message.info.pending === 0 && !(await isFollowed(manager, message.seq))) return;
  }
}

async function endOf(manager: JetStreamManager, { to }: ReadRange): Promise<number> {
  const tip = await lastSequence(manager).catch(reject('the log cannot be read'));
  return Math.min(to ?? tip, tip);
}

/** What the subject filter matches, up to the present end. @throws SignalboxError `nats_unavailable` */
export async function* readSubject(client: JetStreamClient, filter: string): AsyncIterable<StoredMessage> {
  for await (const message of consume(client, { filter_subjects: filter })) {
    yield stored(message);
    if (message.info.pending === 0) return;
  }
}

/** Ends by itself only where there is nothing to read; else the caller ends it. */
export async function* consume(
  client: JetStreamClient,
  options: Partial<OrderedConsumerOptions>,
): AsyncIterable<JsMsg> {
  const consumer = await client.consumers.get(EVENT_STREAM, options).catch(reject('the log cannot be read'));
  const { num_pending: pending } = await consumer.info(true);
  if (pending > 0) {
    const messages = await consumer.consume({ max_messages: PULL_SIZE });
    try {
      yield* messages;
    } finally {
      await messages.close();
      await consumer.delete().catch(() => false);
    }
    throw new SignalboxError('nats_unavailable', 'reading the log stopped: the connection closed');
  }
  await consumer.delete().catch(() => false);
}

/** Whether a message comes after this one, however far. */
async function isFollowed(manager: JetStreamManager, sequence: number): Promise<boolean> {
  const next = { seq: sequence + 1, next_by_subj: EVENT_SUBJECTS };
  return (await manager.streams.getMessage(EVENT_STREAM, next)) !== null;
}

async function lastSequence(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info(EVENT_STREAM)).state.last_seq;
}

function reject(what: string): (cause: unknown) => never {
  return (cause) => {
    throw unavailable(what, cause);
  };
}

export function stored(message: JsMsg): StoredMessage {
  return {
    sequence: message.seq,
    id: messageIdOf(message.headers),
    subject: message.subject,
    bytes: message.data,
  };
}
