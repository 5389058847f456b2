/** The rate of the commit pipeline, compared with a bare JetStream publisher. */
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import type { Engine } from '../../src/app/engine/engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { appendHeaders } from '../../src/journal/jetstream/append.ts';
import { PROJECT, request } from './engine.ts';

const WINDOW = 2_048;
const TASKS = 5_000;

export interface AppendRates {
  /** Events per second. */
  readonly pipeline: number;
  /** Messages per second of the same size with the same headers. */
  readonly bare: number;
  /** Messages per second without headers: the most that the server accepts. */
  readonly limit: number;
}

export async function appendRates(
  engine: Engine,
  connection: NatsConnection,
  count: number,
  bytes: number,
): Promise<AppendRates> {
  return {
    pipeline: await pipelineRate(engine, count),
    bare: await bareRate(connection, count, bytes, true),
    limit: await bareRate(connection, count, bytes, false),
  };
}

/** Events per second through decide, encode, hash and chain: comments, spread over many tasks. */
async function pipelineRate(engine: Engine, count: number): Promise<number> {
  const parked = request({ not_before: new Date(Date.now() + 86_400_000).toISOString() });
  const tasks = await Promise.all(
    Array.from(
      { length: TASKS },
      async () =>
        (await createTask(engine.app, PROJECT, parked, { actor: 'user:bench', attempt: null })).task.id,
    ),
  );
  const body = 'a comment as long as they usually are, which is a line or two of text'.repeat(3);
  const { log } = engine.app;
  return pipelined(count, (index, stored) => {
    const task = tasks[index % TASKS] ?? '';
    log.decide(
      { type: 'task.comment_added', project: PROJECT, task, author: 'bench', body },
      { actor: 'user:bench' },
      { stored, lost: stored },
    );
  });
}

/**
 * Messages per second from a publisher that only publishes and counts acknowledgements.
 * @param chained with the headers of the pipeline, so that the server receives the same bytes and checks the same
 * expectations
 */
async function bareRate(
  connection: NatsConnection,
  count: number,
  bytes: number,
  chained: boolean,
): Promise<number> {
  const manager = await bareStream(connection);
  const payload = Buffer.alloc(bytes, 'x');
  const inbox = createInbox();
  const waiting: (() => void)[] = [];
  let acknowledged = 0;
  const subscription = connection.subscribe(inbox, { callback: () => waiting[acknowledged++]?.() });
  const messages = await pipelined(count, (index, stored) => {
    waiting.push(stored);
    const headers = appendHeaders(`bench-${index}`, index, index === 0 ? '' : `bench-${index - 1}`);
    const subject = `bare.evt.bench.task.t${index % TASKS}.comment_added`;
    connection.publish(subject, payload, chained ? { reply: inbox, headers } : { reply: inbox });
  });
  const { state } = await manager.streams.info('BARE');
  if (state.messages !== count) throw new Error(`the bare publisher stored ${state.messages} of ${count}`);
  subscription.unsubscribe();
  await manager.streams.delete('BARE');
  return messages;
}

/** A stream with the settings of the event log. */
async function bareStream(connection: NatsConnection): Promise<JetStreamManager> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: 'BARE',
    subjects: ['bare.evt.>'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    allow_direct: true,
    duplicate_window: 2_000_000_000,
    republish: { src: 'bare.evt.>', dest: 'bare.live.>' },
  });
  return manager;
}

/** What the messages of one task are. */
export interface LifeSize {
  readonly messages: number;
  /** Bytes of one message. */
  readonly bytes: number;
}

/**
 * Lives a second of a lean program that stores the messages of a task one after the other, each when the one before is
 * acknowledged, and does nothing else: no headers, no state, one inbox for all acknowledgements.
 */
export async function bareLifeRate(
  connection: NatsConnection,
  lives: number,
  inFlight: number,
  { messages, bytes }: LifeSize,
): Promise<number> {
  const manager = await bareStream(connection);
  const payload = Buffer.alloc(bytes, 'x');
  const inbox = createInbox();
  const waiting: (() => void)[] = [];
  let acknowledged = 0;
  const subscription = connection.subscribe(inbox, { callback: () => waiting[acknowledged++]?.() });
  const store = (life: number, stored: () => void): void => {
    waiting.push(stored);
    connection.publish(`bare.evt.bench.task.t${life}.event`, payload, { reply: inbox });
  };
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let begun = 0;
    let ended = 0;
    const next = (life: number, left: number): void => {
      if (left > 0) return store(life, () => next(life, left - 1));
      if (++ended === lives) resolve();
      else begin();
    };
    const begin = (): void => {
      if (begun < lives) next(begun++, messages);
    };
    for (let each = 0; each < inFlight; each++) begin();
  });
  const rate = lives / ((performance.now() - start) / 1_000);
  subscription.unsubscribe();
  await manager.streams.delete('BARE');
  return rate;
}

/** Single acknowledged publishes, and the time of each. */
export class BarePublishes {
  /** Milliseconds. */
  readonly times: number[] = [];
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #payload: Buffer;

  private constructor(connection: NatsConnection, manager: JetStreamManager, bytes: number) {
    this.#connection = connection;
    this.#manager = manager;
    this.#payload = Buffer.alloc(bytes, 'x');
  }

  static async open(connection: NatsConnection, bytes: number): Promise<BarePublishes> {
    return new BarePublishes(connection, await bareStream(connection), bytes);
  }

  /** Measures one. */
  async measure(): Promise<void> {
    const start = performance.now();
    await this.#connection.request('bare.evt.bench.task.t.event', this.#payload);
    this.times.push(performance.now() - start);
  }

  async close(): Promise<void> {
    await this.#manager.streams.delete('BARE');
  }
}

/** Sends `count` messages with at most WINDOW in flight. @returns messages stored per second */
async function pipelined(count: number, send: (index: number, stored: () => void) => void): Promise<number> {
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let done = 0;
    const refill = (): void => {
      while (sent < count && sent - done < WINDOW) send(sent++, stored);
    };
    const stored = (): void => {
      done++;
      if (done === count) resolve();
      else if (sent - done < WINDOW / 2) refill();
    };
    refill();
  });
  return count / ((performance.now() - start) / 1_000);
}
