/**
 * The streams beside the log: what agents say, what they are to do, what was refused, and what is too large for a message.
 *
 * M1 Nobody's flood reaches another: each subject, hence each agent and kind of message, has a limit of its own, and what
 *    is above it is refused to its sender.
 * M2 A message leaves its stream when it was handled. Handling is repeatable, because a server that is killed may bring
 *    handled messages back.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import {
  AGENT_CONSUMER,
  AGENT_STREAM,
  AGENT_SUBJECTS,
  bucketStream,
  fileBucket,
  REJECTED_STREAM,
  REJECTED_SUBJECTS,
  WORK_STREAM,
  WORK_SUBJECTS,
  workQueueSubjects,
} from '../contracts/messages/subjects.ts';

const SECOND_NS = 1_000_000_000;
const DAY_NS = 86_400 * SECOND_NS;
const MEGABYTE = 1_048_576;

type Settings = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

const queue = {
  storage: StorageType.File,
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
  discard_new_per_subject: true,
  allow_direct: true,
} as const;

/** Messages of one agent and kind that nobody has heard yet; then the sender is refused, and sends again later. */
const UNHEARD_PER_SUBJECT = 1_000;
/** Refusals that are kept of one agent, and of all. */
const REJECTED_PER_AGENT = 100;
const REJECTED_IN_ALL = 10_000;

const STREAMS: readonly Settings[] = [
  {
    ...queue,
    name: AGENT_STREAM,
    subjects: [AGENT_SUBJECTS],
    description: 'Signalbox: what agents say, until it was heard',
    max_msgs_per_subject: UNHEARD_PER_SUBJECT,
    max_bytes: 256 * MEGABYTE,
    max_age: 7 * DAY_NS,
    // As long as a sender that got no answer may send the same message again without its being stored twice.
    duplicate_window: 120 * SECOND_NS,
  },
  {
    ...queue,
    name: WORK_STREAM,
    subjects: [WORK_SUBJECTS],
    description: 'Signalbox: what remote agents are to do',
    max_msgs_per_subject: 1,
    max_bytes: 256 * MEGABYTE,
  },
  {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    allow_direct: true,
    name: REJECTED_STREAM,
    subjects: [REJECTED_SUBJECTS],
    description: 'Signalbox: the newest messages that were refused',
    max_msgs_per_subject: REJECTED_PER_AGENT,
    max_msgs: REJECTED_IN_ALL,
    max_bytes: 32 * MEGABYTE,
    max_age: 7 * DAY_NS,
  },
];

/** Messages of the agents that are being handled at the same time. */
export const MESSAGES_IN_HAND = 512;

export interface StreamsOptions {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly replicas: number;
}

/** Makes the streams, or brings them to what they have to be. Rejects with what the client rejects with. */
export async function openStreams({ manager, replicas }: StreamsOptions): Promise<void> {
  for (const settings of STREAMS) await ensureStream(manager, { ...settings, num_replicas: replicas });
  await ensureConsumer(manager, AGENT_STREAM, {
    durable_name: AGENT_CONSUMER,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: 30 * SECOND_NS,
    max_ack_pending: MESSAGES_IN_HAND,
  });
}

export interface QueueSettings {
  readonly agent: string;
  /** Milliseconds after which a job that its worker says nothing of is given to another. */
  readonly ackWaitMs: number;
  /** How often a job is handed out that nobody begins. */
  readonly maxDeliveries: number;
  /** Bytes that the agent may leave in its bucket. */
  readonly bucketBytes: number;
}

/** The queue and the bucket of a remote agent. */
export async function openQueue(
  { client, manager, replicas }: StreamsOptions,
  { agent, ackWaitMs, maxDeliveries, bucketBytes }: QueueSettings,
): Promise<void> {
  await ensureConsumer(manager, WORK_STREAM, {
    durable_name: agent,
    filter_subject: workQueueSubjects(agent),
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWaitMs * 1_000_000,
    max_deliver: maxDeliveries,
  });
  const bucket = bucketStream(agent);
  const present = await manager.streams.info(bucket).catch(missing(JetStreamApiCodes.StreamNotFound));
  const limits = { max_bytes: bucketBytes, max_age: DAY_NS };
  if (present === null) {
    const { max_bytes, max_age: ttl } = limits;
    await new Objm(client).create(fileBucket(agent), { storage: StorageType.File, replicas, max_bytes, ttl });
  } else {
    await manager.streams.update(bucket, { ...present.config, ...limits, num_replicas: replicas });
  }
}

export function clientFor(connection: Parameters<typeof jetstream>[0], timeoutMs: number): JetStreamClient {
  return jetstream(connection, { timeout: timeoutMs });
}

async function ensureStream(manager: JetStreamManager, settings: Settings): Promise<void> {
  const present = await manager.streams.info(settings.name).catch(missing(JetStreamApiCodes.StreamNotFound));
  if (present === null) await manager.streams.add(settings);
  else await manager.streams.update(settings.name, { ...present.config, ...settings });
}

async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  config: Partial<ConsumerConfig> & { readonly durable_name: string },
): Promise<void> {
  const present = await manager.consumers
    .info(stream, config.durable_name)
    .catch(missing(JetStreamApiCodes.ConsumerNotFound));
  if (present === null) await manager.consumers.add(stream, config);
  else await manager.consumers.update(stream, config.durable_name, config);
}

function missing(code: number): (error: unknown) => null {
  return (error) => {
    if (error instanceof JetStreamApiError && error.code === code) return null;
    throw error;
  };
}
