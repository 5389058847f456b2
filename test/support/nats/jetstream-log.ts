/** The event stream of a test server: opens journals on it, and inspects it over a connection of its own. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JetStreamApiCodes, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection, RequestError } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { EVENT_STREAM } from '../../../src/contracts/messages/subjects.ts';
import { openEventStream } from '../../../src/journal/jetstream/event-stream.ts';
import {
  type JetStreamJournalOptions,
  openJetStreamJournal,
} from '../../../src/journal/jetstream/jetstream-journal.ts';
import type { JournalEntry, StoredMessage } from '../../../src/journal/journal.ts';
import { RecordingJournal } from '../history/recording-journal.ts';
import type { TestNatsServer } from './nats.ts';

const READS_AT_ONCE = 500;
/** On a busy machine a server may take seconds to make or delete a stream. */
const ANSWER_MS = 20_000;
/** A subject of the stream that no test uses. */
const PROBE_SUBJECT = 'signalbox.v1.evt.demo.task.probe.probed';

/** One server or a cluster; the URLs of its members with commas between. */
type LogServer = Pick<TestNatsServer, 'url' | 'connectOptions'> & Partial<Pick<TestNatsServer, 'storeDir'>>;

export class JetStreamLog implements AsyncDisposable {
  readonly #server: LogServer;
  readonly #connections: NatsConnection[] = [];
  readonly #opened: RecordingJournal[] = [];
  /** A connection that no journal under test uses. */
  #aside: NatsConnection | undefined;

  /** An empty log; the stream that the server had is deleted. */
  static async fresh(server: LogServer): Promise<JetStreamLog> {
    const log = new JetStreamLog(server);
    const manager = await log.manager();
    await manager.streams.delete(EVENT_STREAM).catch((error) => {
      if (error.code !== JetStreamApiCodes.StreamNotFound) throw error;
    });
    await log.#untilDeleted();
    return log;
  }

  private constructor(server: LogServer) {
    this.#server = server;
  }

  /** @param by a connection of the test's own, or the URL of a proxy in front of the server */
  async open(
    options: JetStreamJournalOptions = {},
    by: NatsConnection | string = this.#server.url,
  ): Promise<RecordingJournal> {
    const connection = typeof by === 'string' ? await this.connect(by) : by;
    const recording = await RecordingJournal.open((handlers) =>
      openJetStreamJournal(connection, handlers, options),
    );
    this.#opened.push(recording);
    return recording;
  }

  /** A connection that dials again at once and without end; it is closed with the log. */
  async connect(url = this.#server.url): Promise<NatsConnection> {
    const connection = await connect({
      ...this.#server.connectOptions,
      servers: url.split(','),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 20,
      reconnectJitter: 20,
      // When a connection is lost before its first pong, the client waits this long for it all the same.
      timeout: 1_000,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Waits until the server answers: it may be restarting. */
  async manager(): Promise<JetStreamManager> {
    const connection = await this.#connectAside();
    const isThere = (): Promise<boolean> =>
      connection.request('$JS.API.INFO', '', { timeout: 300 }).then(
        () => true,
        () => false,
      );
    await expect.poll(isThere, { timeout: 20_000 }).toBe(true);
    return jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_MS });
  }

  /** All messages, fetched one by one, without those that were deleted. */
  async messages(): Promise<StoredMessage[]> {
    const manager = await this.manager();
    const { last_seq: last } = (await manager.streams.info(EVENT_STREAM)).state;
    const messages: StoredMessage[] = [];
    for (let from = 1; from <= last; from += READS_AT_ONCE) {
      const sequences = Array.from({ length: Math.min(READS_AT_ONCE, last - from + 1) }, (_, i) => from + i);
      const batch = await Promise.all(sequences.map((sequence) => this.#message(manager, sequence)));
      messages.push(...batch.flatMap((message) => message ?? []));
    }
    return messages;
  }

  async idAt(sequence: number): Promise<string | undefined> {
    return (await this.#message(await this.manager(), sequence))?.id;
  }

  /** Stores a message as another program would, without the headers that a journal adds. */
  async intrude(entry: JournalEntry): Promise<void> {
    await jetstream(await this.#connectAside()).publish(entry.subject, entry.bytes, { msgID: entry.id });
  }

  async remove(sequence: number): Promise<void> {
    await (await this.manager()).streams.deleteMessage(EVENT_STREAM, sequence);
  }

  async replaceWith(entries: readonly JournalEntry[]): Promise<void> {
    await (await this.manager()).streams.delete(EVENT_STREAM);
    await this.#untilDeleted();
    await openEventStream(await this.#connectAside(), { replicas: 1, timeoutMs: ANSWER_MS });
    for (const entry of entries) await this.intrude(entry);
  }

  /** Resolves with the last sequence when the server has stored every message in flight. */
  async untilStill(): Promise<number> {
    const manager = await this.manager();
    let last = -1;
    const isStill = async (): Promise<boolean> => {
      const before = last;
      last = (await manager.streams.info(EVENT_STREAM)).state.last_seq;
      return last > 1 && last === before;
    };
    await expect.poll(isStill, { interval: 50, timeout: 10_000 }).toBe(true);
    return last;
  }

  /** The log holds `epoch` and what was appended, each entry once, in order, and the reports said just that. */
  async expectWhole(writer: RecordingJournal): Promise<void> {
    const stored = await this.messages();
    expect(stored.map(({ id }) => id)).toEqual(['epoch', ...writer.appended]);
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(writer.reports).toEqual(stored.slice(1).map(({ sequence, id }) => ({ sequence, id })));
    expect(writer.states.map(({ kind }) => kind)).not.toContain('fenced');
    expect(writer.journal.state.kind).toBe('open');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map(({ journal }) => journal.close()));
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /**
   * The server answers a deletion before it is done: the old stream may still take a message, as a duplicate of one it had,
   * and a stream of the same name would find its files.
   */
  async #untilDeleted(): Promise<void> {
    const connection = await this.#connectAside();
    // A stream of another name refuses it, so that nothing is stored.
    const expectations = headers();
    expectations.set('Nats-Expected-Stream', 'NONE');
    const isDeleted = (): Promise<boolean> =>
      connection.request(PROBE_SUBJECT, '', { timeout: 300, headers: expectations }).then(
        () => false,
        (error) => error instanceof RequestError && error.isNoResponders(),
      );
    await expect.poll(isDeleted, { interval: 5, timeout: 20_000 }).toBe(true);
    const streams = join(this.#server.storeDir ?? '/nowhere', 'jetstream', 'SIGNALBOX', 'streams');
    const left = async (): Promise<string[]> =>
      (await readdir(streams).catch(() => [])).filter((name) => name.includes(EVENT_STREAM));
    await expect.poll(left, { interval: 5, timeout: 20_000 }).toEqual([]);
  }

  async #connectAside(): Promise<NatsConnection> {
    this.#aside ??= await this.connect();
    return this.#aside;
  }

  async #message(manager: JetStreamManager, sequence: number): Promise<StoredMessage | null> {
    const message = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence });
    if (!message) return null;
    return {
      sequence,
      id: message.header.get('Nats-Msg-Id'),
      subject: message.subject,
      bytes: message.data,
    };
  }
}
