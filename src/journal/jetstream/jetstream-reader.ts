/** Reading the log: in order, without a gap, up to a fixed end. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  type OrderedConsumerOptions,
} from '@nats-io/jetstream';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM, EVENT_SUBJECTS } from '../../contracts/messages/subjects.ts';
import { unavailable } from '../failures.ts';
import type { FillGap, ReadRange, StoredMessage, Tip } from '../journal.ts';
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

/**
 * One generator from the client to the caller: each one more costs a microsecond a message.
 * @param fill called for each message that is missing; null where such are left out
 * @throws SignalboxError `nats_unavailable`, and what `fill` throws
 */
export async function* readMessages(
  client: JetStreamClient,
  manager: JetStreamManager,
  range: ReadRange,
  fill: FillGap | null,
): AsyncIterable<StoredMessage> {
  const to = await endOf(manager, range);
  let expected = range.from;
  if (expected > to) return;
  await using reading = await open(client, startingAt(expected));
  let isAtEnd = reading.isEmpty;
  for await (const message of reading.messages) {
    const { seq: sequence } = message;
    const end = Math.min(sequence, to + 1);
    if (fill) for (; expected < end; expected++) yield await fill(expected, sequence);
    if (sequence > to) return;
    yield new ReadMessage(message);
    if (sequence === to) return;
    expected = sequence + 1;
    // Only a hint (old servers miscount), but without it a missing end would be waited for without end.
    isAtEnd = message.info.pending === 0 && !(await isFollowed(manager, sequence));
    if (isAtEnd) break;
  }
  if (!isAtEnd) throw stopped();
  if (fill) for (; expected <= to; expected++) yield await fill(expected, null);
}

async function endOf(manager: JetStreamManager, { to }: ReadRange): Promise<number> {
  const tip = await lastSequence(manager).catch(reject('the log cannot be read'));
  return Math.min(to ?? tip, tip);
}

/**
 * What the subject filter matches, up to the present end.
 * @param from first sequence
 * @throws SignalboxError `nats_unavailable`
 */
export async function* readSubject(
  client: JetStreamClient,
  filter: string,
  from = 1,
): AsyncIterable<StoredMessage> {
  await using reading = await open(client, { ...startingAt(from), filter_subjects: filter });
  for await (const message of reading.messages) {
    yield new ReadMessage(message);
    if (message.info.pending === 0) return;
  }
  if (!reading.isEmpty) throw stopped();
}

function stopped(): SignalboxError {
  return new SignalboxError('nats_unavailable', 'reading the log stopped: the connection closed');
}

interface Reading extends AsyncDisposable {
  /** Ends by itself only where there is nothing to read, or the connection is closed. */
  readonly messages: Iterable<JsMsg> | AsyncIterable<JsMsg>;
  readonly isEmpty: boolean;
}

export function startingAt(sequence: number): Partial<OrderedConsumerOptions> {
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence };
}

async function open(client: JetStreamClient, options: Partial<OrderedConsumerOptions>): Promise<Reading> {
  const consumer = await client.consumers.get(EVENT_STREAM, options).catch(reject('the log cannot be read'));
  const forget = async (): Promise<void> => void (await consumer.delete().catch(() => false));
  const { num_pending: pending } = await consumer.info(true);
  if (pending === 0) return { messages: [], isEmpty: true, [Symbol.asyncDispose]: forget };
  const messages = await consumer.consume({ max_messages: PULL_SIZE });
  const end = async (): Promise<void> => {
    await messages.close();
    await forget();
  };
  return { messages, isEmpty: false, [Symbol.asyncDispose]: end };
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

/**
 * A message as it was read. Its id is decoded when somebody asks for it: the client takes longer for the headers of a
 * message than for all the rest of it, and a rebuild asks for the last one's only.
 */
export class ReadMessage implements StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly #message: JsMsg;

  constructor(message: JsMsg) {
    this.sequence = message.seq;
    this.subject = message.subject;
    this.bytes = message.data;
    this.#message = message;
  }

  get id(): string {
    return messageIdOf(this.#message.headers);
  }
}
