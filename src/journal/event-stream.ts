/** The stream that holds the log: made on first use, and compared with what the server really keeps. */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { EVENT_STREAM, EVENT_SUBJECTS, LIVE_SUBJECTS } from './subjects.ts';

/**
 * Nanoseconds. Deduplication is done by the id chain, not by this window; small, because a large one costs
 * throughput on old servers.
 */
const DUPLICATE_WINDOW = 2_000_000_000;

const CONFIG = {
  name: EVENT_STREAM,
  subjects: [EVENT_SUBJECTS] as string[],
  description: 'Signalbox: every transition, as CloudEvents',
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  /** Full means refused. The server's default would drop the oldest history. */
  discard: DiscardPolicy.New,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  allow_direct: true,
  duplicate_window: DUPLICATE_WINDOW,
  republish: { src: EVENT_SUBJECTS, dest: LIVE_SUBJECTS },
} as const;

/** Settings without which the log would lose history or followers would see what was refused. */
const ESSENTIAL = ['storage', 'retention', 'discard', 'max_age', 'max_msgs'] as const;

/**
 * Opens the stream, creating it where there is none.
 * @throws SignalboxError `log_mismatch` for a stream of that name with settings that drop or hide events.
 */
export async function openEventStream(connection: NatsConnection, replicas = 1): Promise<JetStreamManager> {
  const manager = await jetstreamManager(connection, { timeout: 5_000 });
  const info = await manager.streams.info(EVENT_STREAM).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return null;
    throw new SignalboxError('nats_unavailable', `JetStream does not answer: ${messageOf(error)}`, {
      cause: error,
    });
  });
  const config = (info ?? (await manager.streams.add({ ...CONFIG, num_replicas: replicas }))).config;
  const wrong = ESSENTIAL.filter((key) => config[key] !== CONFIG[key]);
  if (wrong.length > 0) {
    const differences = wrong.map((key) => `${key} is ${config[key]}, needed is ${CONFIG[key]}`).join('; ');
    throw new SignalboxError(
      'log_mismatch',
      `the stream ${EVENT_STREAM} has settings that a log must not have: ${differences}. Correct them with "nats stream edit", or use another account`,
    );
  }
  return manager;
}
