/** How much of what JetStream takes from a bare publisher goes through the commit pipeline. */
import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import { createTask } from '../src/app/create-task.ts';
import type { Engine } from '../src/engine.ts';
import { PROJECT, request } from './engine.ts';

const WINDOW = 2_048;
const TASKS = 1_000;

export interface AppendRates {
  /** Events a second. */
  readonly pipeline: number;
  /** Messages a second of the same size. */
  readonly bare: number;
}

export async function appendRates(
  engine: Engine,
  connection: NatsConnection,
  count: number,
  bytes: number,
): Promise<AppendRates> {
  return { pipeline: await pipelineRate(engine, count), bare: await bareRate(connection, count, bytes) };
}

/** Events a second through decide, encode, hash and chain: one comment each, spread over many tasks. */
async function pipelineRate(engine: Engine, count: number): Promise<number> {
  const parked = request({ not_before: new Date(Date.now() + 86_400_000).toISOString() });
  const tasks = await Promise.all(
    Array.from(
      { length: TASKS },
      async () => (await createTask(engine.app, PROJECT, parked, 'user:bench')).task.id,
    ),
  );
  const body = 'a comment as long as they usually are, which is a line or two of text'.repeat(3);
  const { pipeline } = engine.app;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let stored = 0;
    const refill = (): void => {
      while (sent < count && sent - stored < WINDOW) {
        const task = tasks[sent % TASKS] ?? '';
        sent++;
        void pipeline.commit(
          { type: 'task.comment_added', project: PROJECT, task, author: 'bench', body },
          { actor: 'user:bench' },
        );
      }
    };
    const stop = engine.app.onRecord(() => {
      stored++;
      if (stored < count) {
        if (sent - stored < WINDOW / 2) refill();
        return;
      }
      stop();
      resolve();
    });
    refill();
  });
  return count / ((performance.now() - start) / 1_000);
}

/** Messages a second from a publisher that does nothing but publish and count acknowledgements. */
async function bareRate(connection: NatsConnection, count: number, bytes: number): Promise<number> {
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
  const payload = Buffer.alloc(bytes, 'x');
  const inbox = createInbox();
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let stored = 0;
    const refill = (): void => {
      while (sent < count && sent - stored < WINDOW) {
        connection.publish(`bare.evt.bench.task.t${sent % TASKS}.comment_added`, payload, { reply: inbox });
        sent++;
      }
    };
    const subscription = connection.subscribe(inbox, {
      callback: () => {
        stored++;
        if (stored === count) {
          subscription.unsubscribe();
          resolve();
        } else if (sent - stored < WINDOW / 2) refill();
      },
    });
    refill();
  });
  const seconds = (performance.now() - start) / 1_000;
  await manager.streams.delete('BARE');
  return count / seconds;
}
