/** The stream that holds the log: made on first use, and compared with what the server really keeps. */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { SignalboxError } from '../../contracts/errors.ts';
import { EVENT_STREAM, EVENT_SUBJECTS, LIVE_SUBJECTS } from '../../contracts/messages/subjects.ts';
import { unavailable } from '../failures.ts';
import { whenPlaceable } from './placement.ts';
import { keepReplicas } from './replicas.ts';

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
  max_msgs_per_subject: -1,
  max_bytes: -1,
  max_age: 0,
  no_ack: false,
  allow_direct: true,
  duplicate_window: DUPLICATE_WINDOW,
  republish: { src: EVENT_SUBJECTS, dest: LIVE_SUBJECTS },
} as const;

/** Settings without which the log would lose history, or followers would see what was refused. */
const ESSENTIAL = [
  'subjects',
  'storage',
  'retention',
  'discard',
  'max_age',
  'max_msgs',
  'max_msgs_per_subject',
  'no_ack',
  'republish',
] as const;

type Setting = (typeof ESSENTIAL)[number] | 'max_bytes';

export interface EventStreamOptions {
  readonly replicas: number;
  /** Milliseconds to wait for each answer of the server. */
  readonly timeoutMs: number;
}

/**
 * Opens the stream, creating it where there is none.
 * @throws SignalboxError `nats_unavailable`; `log_mismatch` for a stream of that name with settings that drop or hide
 *   events.
 */
export async function openEventStream(
  connection: NatsConnection,
  { replicas, timeoutMs }: EventStreamOptions,
): Promise<JetStreamManager> {
  let config: StreamConfig;
  let manager: JetStreamManager;
  try {
    manager = await jetstreamManager(connection, { timeout: timeoutMs });
    config = (await findStream(manager)) ?? (await createStream(manager, replicas));
    await keepReplicas(manager, config, replicas);
  } catch (cause) {
    throw unavailable('JetStream does not answer as it should', cause);
  }
  const essential: readonly Setting[] = dropsOldest(connection) ? [...ESSENTIAL, 'max_bytes'] : ESSENTIAL;
  const wrong = essential.filter((key) => kept(config, key) !== JSON.stringify(CONFIG[key]));
  if (wrong.length === 0) return manager;
  const differences = wrong.map(
    (key) => `${key} is ${kept(config, key)}, not ${JSON.stringify(CONFIG[key])}`,
  );
  throw new SignalboxError(
    'log_mismatch',
    `the stream ${EVENT_STREAM} has settings that a log must not have: ${differences.join('; ')}. Correct them with "nats stream edit", or use another account`,
    { details: { wrong } },
  );
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/**
 * Whether the server drops the oldest messages of a stream that is full, though it is told to refuse new ones: before
 * 2.10 its check leaves out what a message takes beside its content, and it then makes room for the difference.
 */
function dropsOldest(connection: NatsConnection): boolean {
  const [major = 0, minor = 0] = (connection.info?.version ?? '').split('.').map(Number);
  return major < 2 || (major === 2 && minor < 10);
}

async function findStream(manager: JetStreamManager): Promise<StreamConfig | null> {
  try {
    return (await manager.streams.info(EVENT_STREAM)).config;
  } catch (error) {
    if (isStreamMissing(error)) return null;
    throw error;
  }
}

async function createStream(manager: JetStreamManager, replicas: number): Promise<StreamConfig> {
  return (await whenPlaceable(() => manager.streams.add({ ...CONFIG, num_replicas: replicas }))).config;
}

/** What the server keeps of a setting, as JSON with keys in our order. It leaves out what is false or not set. */
function kept(config: StreamConfig, key: Setting): string {
  switch (key) {
    case 'no_ack':
      return JSON.stringify(config.no_ack ?? false);
    case 'republish': {
      const { src, dest, headers_only } = config.republish ?? {};
      return JSON.stringify(headers_only ? { src, dest, headers_only } : { src, dest });
    }
    default:
      return JSON.stringify(config[key]);
  }
}
