/**
 * The streams beside the log: messages of agents, jobs of remote agents, rejected messages, and buckets for large files.
 *
 * Each subject, hence each agent and kind of message, has a limit of its own: a flood of one agent does not affect others.
 * A message leaves its stream when it was acted on, which is repeatable: a server that is killed may bring it back.
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

/** Unread messages of one agent and kind; above that the sender is refused, and sends again later. */
const UNREAD_PER_SUBJECT = 1_000;
/** Rejected messages that are kept, of one agent and of all. */
const REJECTED_PER_AGENT = 100;
const REJECTED_IN_ALL = 10_000;

const STREAMS: readonly Settings[] = [
  {
    ...queue,
    name: AGENT_STREAM,
    subjects: [AGENT_SUBJECTS],
    description: 'Signalbox: messages of agents, until they are acted on',
    max_msgs_per_subject: UNREAD_PER_SUBJECT,
    max_bytes: 256 * MEGABYTE,
    max_age: 7 * DAY_NS,
    // A sender without an answer may repeat a message within this time, and it is stored once.
    duplicate_window: 120 * SECOND_NS,
  },
  {
    ...queue,
    name: WORK_STREAM,
    subjects: [WORK_SUBJECTS],
    description: 'Signalbox: jobs of remote agents',
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
    description: 'Signalbox: the newest rejected messages',
    max_msgs_per_subject: REJECTED_PER_AGENT,
    max_msgs: REJECTED_IN_ALL,
    max_bytes: 32 * MEGABYTE,
    max_age: 7 * DAY_NS,
  },
];

/** Messages that may be delivered and not acknowledged yet. */
export const MESSAGES_IN_HAND = 512;

export interface StreamsOptions {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly replicas: number;
}

/** Creates or updates the streams. @throws what the NATS client throws */
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
  /** Milliseconds after which a job whose worker is silent is given to another worker. */
  readonly ackWaitMs: number;
  /** How often a job is delivered that no worker starts. */
  readonly maxDeliveries: number;
  readonly bucketBytes: number;
}

/** Creates or updates the queue and the bucket of a remote agent. */
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
