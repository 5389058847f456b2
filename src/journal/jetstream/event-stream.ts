/** The stream that holds the log: created on first use, and compared with what the server really keeps. */
import { setTimeout as delay } from 'node:timers/promises';
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

/** Small, because a large window costs throughput on old servers; the id chain prevents duplicates. */
const DUPLICATE_WINDOW_NS = 2_000_000_000;

/** "no suitable peers for placement" in https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const NO_SUITABLE_PEERS = 10_005;
/** A leader that was elected a moment ago does not know the other servers yet. */
const PLACEMENT_LIMIT_MS = 10_000;
const PLACEMENT_PAUSE_MS = 200;

const CONFIG = {
  name: EVENT_STREAM,
  subjects: [EVENT_SUBJECTS] as string[],
  description: 'Signalbox: every transition, as CloudEvents',
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  /** A full stream refuses new messages. The server's default would drop the oldest history. */
  discard: DiscardPolicy.New,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  /** The largest message is that of the server (max_payload): the limits of texts follow from it. */
  max_msg_size: -1,
  max_bytes: -1,
  max_age: 0,
  no_ack: false,
  allow_direct: true,
  /** Not deny_delete: a redaction removes single messages. */
  deny_purge: true,
  duplicate_window: DUPLICATE_WINDOW_NS,
  republish: { src: EVENT_SUBJECTS, dest: LIVE_SUBJECTS },
} as const;

/** Without these the log would lose history, or followers would see refused messages. */
const ESSENTIAL = [
  'subjects',
  'storage',
  'retention',
  'discard',
  'max_age',
  'max_msgs',
  'max_msgs_per_subject',
  'max_msg_size',
  'no_ack',
  'republish',
] as const;

type Setting = (typeof ESSENTIAL)[number] | 'max_bytes';

/**
 * Opens the stream, and creates it if there is none.
 * @param options `timeoutMs`: milliseconds to wait for each answer of the server
 * @throws SignalboxError `nats_unavailable`; `log_mismatch` for an existing stream with settings that drop or hide events
 */
export async function openEventStream(
  connection: NatsConnection,
  { replicas, timeoutMs }: { readonly replicas: number; readonly timeoutMs: number },
): Promise<JetStreamManager> {
  let config: StreamConfig;
  let manager: JetStreamManager;
  try {
    manager = await jetstreamManager(connection, { timeout: timeoutMs });
    const create = () => manager.streams.add({ ...CONFIG, num_replicas: replicas });
    config = (await findStream(manager)) ?? (await whenPlaceable(create)).config;
    await keepReplicas(manager, config, replicas);
  } catch (cause) {
    throw unavailable('cannot open the stream of the event log', cause);
  }
  const essential: readonly Setting[] = dropsOldest(connection) ? [...ESSENTIAL, 'max_bytes'] : ESSENTIAL;
  const wrong = essential.filter((key) => kept(config, key) !== JSON.stringify(CONFIG[key]));
  if (wrong.length === 0) {
    await denyPurge(manager, config).catch((cause: unknown) => {
      throw unavailable(`cannot set deny_purge of the stream ${EVENT_STREAM}`, cause);
    });
    return manager;
  }
  const differences = wrong.map(
    (key) => `${key} is ${kept(config, key)}, not ${JSON.stringify(CONFIG[key])}`,
  );
  throw new SignalboxError(
    'log_mismatch',
    `the stream ${EVENT_STREAM} has settings that an event log must not have: ${differences.join('; ')}. Correct them with "nats stream edit", or use another account`,
    { details: { wrong } },
  );
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

/**
 * Whether the server drops the oldest messages of a full stream though it is told to refuse new ones: before 2.10 its
 * check ignores what a message takes beside its content, and it then makes room for the difference.
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

/** The server's value of a setting, as JSON with keys in our order. It leaves out what is false or not set. */
function kept(config: StreamConfig, key: Setting): string {
  switch (key) {
    case 'max_msg_size':
      return JSON.stringify(config.max_msg_size ?? -1);
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

/** Stores a stream on this many servers, also if it was created with another number. Rejects if the cluster is too small. */
export async function keepReplicas(
  manager: JetStreamManager,
  config: StreamConfig,
  replicas: number,
): Promise<void> {
  if (config.num_replicas === replicas) return;
  await manager.streams.update(config.name, { ...config, num_replicas: replicas });
}

/** For a stream of an earlier version. It cannot be undone, but by a new stream. */
async function denyPurge(manager: JetStreamManager, config: StreamConfig): Promise<void> {
  if (config.deny_purge) return;
  const { config: present } = await manager.streams.info(config.name);
  await manager.streams.update(config.name, { ...present, deny_purge: true });
}

/**
 * Creates a stream or bucket, and tries again while the cluster says that it has not enough servers for it. Rejects with
 * the cluster's answer after ten seconds.
 */
export async function whenPlaceable<Result>(create: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + PLACEMENT_LIMIT_MS;
  for (;;) {
    try {
      return await create();
    } catch (error) {
      const isEarly = error instanceof JetStreamApiError && error.code === NO_SUITABLE_PEERS;
      if (!isEarly || performance.now() > deadline) throw error;
      await delay(PLACEMENT_PAUSE_MS);
    }
  }
}

/** Removes a message so that its bytes are gone from the disk, too. @throws SignalboxError `nats_unavailable` */
export async function eraseMessage(manager: JetStreamManager, sequence: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(EVENT_STREAM, sequence, true);
  } catch (cause) {
    // It may be gone already, for example by an earlier call whose answer was lost.
    const isGone = await manager.streams.getMessage(EVENT_STREAM, { seq: sequence }).then(
      (message) => message === null,
      () => false,
    );
    if (!isGone) throw unavailable(`cannot erase message ${sequence} of the log`, cause);
  }
}
