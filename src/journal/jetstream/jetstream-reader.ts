/** Reading the log on JetStream: up to its present end, or following it as it grows. */
import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type OrderedConsumerOptions,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM, EVENT_SUBJECTS } from '../../contracts/messages/subjects.ts';
import { damaged, refuseGap, unavailable } from '../failures.ts';
import type { Extent, FillGap, LogReader, ReadRange, StoredMessage, Tip } from '../journal.ts';
import { messageIdOf } from './append.ts';
import { isStreamMissing } from './event-stream.ts';
import { StallWatch } from './stall-watch.ts';

/** Milliseconds to wait for each answer of the server. */
const TIMEOUT_MS = 10_000;
/** Messages per pull: more gain nothing, fewer starve the reader between two pulls. */
const PULL_SIZE = 5_000;
/** Single messages requested at the same time. */
const MAX_LOOKUPS = 256;
/** A server that is killed forgets its readers: after two missing heartbeats the client asks again. */
const PULL = { expires: 5_000, idle_heartbeat: 1_000 } as const;
/** How a follower pulls. */
const FOLLOWING = { max_messages: 500, ...PULL } as const;

export interface LiveRequest {
  /** First sequence. */
  readonly from: number;
  /** Only messages below this subject; by default all. Erased messages are then left out: gaps cannot be told there. */
  readonly subject?: string | undefined;
  /** Called for each missing message; by default a missing message is an error. */
  readonly fill?: FillGap;
}

export interface LiveLogReader extends LogReader {
  /**
   * Messages from a sequence on, which need not exist yet, until the signal is aborted. Continues after an outage of the
   * server.
   * @throws SignalboxError `log_corrupt` for a missing message, `nats_unavailable`
   */
  readLive(request: LiveRequest, signal: AbortSignal): AsyncIterable<StoredMessage>;
}

/**
 * Reads the log without being its writer: creates nothing and takes no lease.
 * @throws SignalboxError `not_found` if the server has no log, `nats_unavailable`
 */
export async function openLogReader(connection: NatsConnection): Promise<LiveLogReader> {
  const client = jetstream(connection, { timeout: TIMEOUT_MS });
  try {
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS });
    await manager.streams.info(EVENT_STREAM);
    return {
      ...readerOf(client, manager),
      readLive: (request, signal) => readLive(client, request, signal),
    };
  } catch (cause) {
    if (!isStreamMissing(cause)) throw unavailable('cannot read the log', cause);
    throw new SignalboxError(
      'not_found',
      `this NATS server has no stream ${EVENT_STREAM}: no Signalbox has run on it, or it uses another account. Name the server and the account that Signalbox uses`,
      { cause },
    );
  }
}

export function readerOf(client: JetStreamClient, manager: JetStreamManager): LogReader {
  return {
    tip: () => readTip(manager).catch(failAs('cannot read the log')),
    read: (range, fill = refuseGap) => readMessages(client, manager, range, fill),
    readPresent: (range) => readMessages(client, manager, range, null),
    readBySubject: (prefix, from) => readSubject(client, `${prefix}.>`, from),
    readByFilter: (filter) => readSubject(client, filter),
  };
}

/** @throws what the client throws: the caller distinguishes a missing stream from a missing server. */
export async function readTip(manager: JetStreamManager): Promise<Tip> {
  const sequence = await lastSequence(manager);
  return sequence === 0 ? { sequence, id: '' } : { sequence, id: await readId(manager, sequence) };
}

/** @throws SignalboxError `nats_unavailable`, `log_corrupt` if there is no stream */
export async function readExtent(manager: JetStreamManager): Promise<Extent> {
  try {
    const { first_seq: first, last_seq: last, messages } = (await manager.streams.info(EVENT_STREAM)).state;
    return { first, last, messages };
  } catch (cause) {
    if (!isStreamMissing(cause)) throw unavailable('cannot read the log', cause);
    throw damaged(1, `the stream ${EVENT_STREAM} does not exist any more`);
  }
}

/** @throws SignalboxError `nats_unavailable` */
export async function missingIn(manager: JetStreamManager): Promise<readonly number[]> {
  const info = await manager.streams
    .info(EVENT_STREAM, { deleted_details: true })
    .catch(failAs('cannot read the log'));
  return info.state.deleted ?? [];
}

/** @throws SignalboxError `nats_unavailable` */
export async function holdsSubject(manager: JetStreamManager, subject: string): Promise<boolean> {
  const last = { last_by_subj: subject };
  return (await manager.streams.getMessage(EVENT_STREAM, last).catch(failAs('cannot read the log'))) !== null;
}

/** The ids of some messages from `from` on, in order, none beyond `to`; empty for a missing message. */
export function readIds(manager: JetStreamManager, from: number, to: number): Promise<string[]> {
  const count = Math.min(to - from + 1, MAX_LOOKUPS);
  return Promise.all(Array.from({ length: count }, (_, index) => readId(manager, from + index)));
}

async function readId(manager: JetStreamManager, sequence: number): Promise<string> {
  const message = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence });
  return messageIdOf(message?.header);
}

/**
 * One generator from the client to the caller: each one more costs a microsecond per message.
 * @param fill called for each missing message; null leaves them out
 * @throws SignalboxError `nats_unavailable`, and what `fill` throws
 */
async function* readMessages(
  client: JetStreamClient,
  manager: JetStreamManager,
  range: ReadRange,
  fill: FillGap | null,
): AsyncIterable<StoredMessage> {
  const tip = await lastSequence(manager).catch(failAs('cannot read the log'));
  const to = Math.min(range.to ?? tip, tip);
  let expected = range.from;
  if (expected > to) return;
  await using reading = await open(client, startingAt(expected), Math.min(PULL_SIZE, to - expected + 1));
  let isAtEnd = reading.isEmpty;
  for await (const message of reading.messages) {
    const { seq: sequence } = message;
    const end = Math.min(sequence, to + 1);
    if (fill) for (; expected < end; expected++) yield await fill(expected, sequence);
    if (sequence > to) return;
    yield new ReadMessage(message);
    if (sequence === to) return;
    expected = sequence + 1;
    // `pending` is only a hint (old servers miscount), but without it a missing end would be awaited for ever.
    isAtEnd = message.info.pending === 0 && !(await isFollowed(manager, sequence));
    if (isAtEnd) break;
  }
  if (!isAtEnd) assertEnded(reading, expected);
  if (fill) for (; expected <= to; expected++) yield await fill(expected, null);
}

/**
 * The messages that match the filter, up to the present end.
 * @param from first sequence
 * @throws SignalboxError `nats_unavailable`
 */
async function* readSubject(client: JetStreamClient, filter: string, from = 1): AsyncIterable<StoredMessage> {
  await using reading = await open(client, { ...startingAt(from), filter_subjects: filter });
  let expected = from;
  for await (const message of reading.messages) {
    expected = message.seq + 1;
    yield new ReadMessage(message);
    if (message.info.pending === 0) return;
  }
  if (!reading.isEmpty) assertEnded(reading, expected);
}

async function* readLive(
  client: JetStreamClient,
  { from, subject, fill = refuseGap }: LiveRequest,
  signal: AbortSignal,
): AsyncIterable<StoredMessage> {
  if (signal.aborted) return;
  const filter = subject === undefined ? {} : { filter_subjects: `${subject}.>` };
  const consumer = await client.consumers
    .get(EVENT_STREAM, { ...startingAt(from), ...filter })
    .catch(failAs('cannot follow the log'));
  const messages = await consumer.consume(FOLLOWING);
  const stop = (): void => void messages.close();
  signal.addEventListener('abort', stop, { once: true });
  let expected = from;
  try {
    for await (const message of messages) {
      const { seq: sequence } = message;
      if (subject !== undefined) expected = sequence;
      for (; expected < sequence; expected++) yield await fill(expected, sequence);
      yield new ReadMessage(message);
      if (signal.aborted) return;
      expected = sequence + 1;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await messages.close();
    await consumer.delete().catch(() => false);
  }
  if (!signal.aborted) throw stopped('following');
}

interface Reading extends AsyncDisposable {
  /** Ends by itself only if there is nothing (more) to read, or the connection is closed. */
  readonly messages: Iterable<JsMsg> | AsyncIterable<JsMsg>;
  readonly isEmpty: boolean;
  /** Absent if it is empty. */
  readonly stall?: StallWatch;
}

/**
 * For a reading whose messages ended before their last one.
 * @throws SignalboxError `log_corrupt`, `nats_unavailable` unless the server has no more
 */
function assertEnded({ stall }: Reading, expected: number): void {
  if (stall?.finding === 'ended') return;
  if (stall?.finding !== 'stuck') throw stopped('reading');
  throw damaged(
    expected,
    `the NATS server does not deliver event ${expected} or a later one: its store may be damaged`,
  );
}

/** @param pullSize messages that are requested at once */
async function open(
  client: JetStreamClient,
  options: Partial<OrderedConsumerOptions>,
  pullSize = PULL_SIZE,
): Promise<Reading> {
  const consumer = await client.consumers.get(EVENT_STREAM, options).catch(failAs('cannot read the log'));
  const remove = async (): Promise<void> => void (await consumer.delete().catch(() => false));
  const { num_pending: pending } = await consumer.info(true);
  if (pending === 0) return { messages: [], isEmpty: true, [Symbol.asyncDispose]: remove };
  const messages = await consumer.consume({ max_messages: pullSize, ...PULL });
  const stall = new StallWatch(consumer, messages);
  const end = async (): Promise<void> => {
    stall.close();
    await messages.close();
    await remove();
  };
  return { messages, stall, isEmpty: false, [Symbol.asyncDispose]: end };
}

function startingAt(sequence: number): Partial<OrderedConsumerOptions> {
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence };
}

/** Whether any message follows this one. */
async function isFollowed(manager: JetStreamManager, sequence: number): Promise<boolean> {
  const next = { seq: sequence + 1, next_by_subj: EVENT_SUBJECTS };
  return (await manager.streams.getMessage(EVENT_STREAM, next)) !== null;
}

async function lastSequence(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info(EVENT_STREAM)).state.last_seq;
}

function stopped(work: 'reading' | 'following'): SignalboxError {
  return new SignalboxError('nats_unavailable', `${work} the log stopped: the connection closed`);
}

/** For `catch`: what the client throws, as `nats_unavailable`. */
function failAs(what: string): (cause: unknown) => never {
  return (cause) => {
    throw unavailable(what, cause);
  };
}

/**
 * A message as read. Its id is decoded on demand: decoding the headers takes longer than everything else about a message,
 * and a rebuild needs the id of the last message only.
 */
class ReadMessage implements StoredMessage {
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
