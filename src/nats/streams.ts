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
import { BUCKET_BYTES, type StreamSizes, streamSizes } from '../contracts/messages/storage.ts';
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

type Settings = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects' | 'max_bytes'>;

const queue = {
  storage: StorageType.File,
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
  discard_new_per_subject: true,
  allow_direct: true,
  // Acknowledged messages leave it all the same.
  deny_purge: true,
} as const;

/** Unread messages of one agent and kind; above that the sender is refused, and sends again later. */
const UNREAD_PER_SUBJECT = 1_000;
/** Rejected messages that are kept, of one agent and of all. */
const REJECTED_PER_AGENT = 100;
const REJECTED_IN_ALL = 10_000;

const streamsOf = ({ agentMessages, work, rejected }: StreamSizes): readonly Settings[] => [
  {
    ...queue,
    name: AGENT_STREAM,
    subjects: [AGENT_SUBJECTS],
    description: 'Signalbox: messages of agents, until they are acted on',
    max_msgs_per_subject: UNREAD_PER_SUBJECT,
    deny_delete: true,
    max_bytes: agentMessages,
    max_age: 7 * DAY_NS,
    // A sender without an answer may repeat a message within this time, and it is stored once.
    duplicate_window: 120 * SECOND_NS,
  },
  {
    ...queue,
    name: WORK_STREAM,
    subjects: [WORK_SUBJECTS],
    description: 'Signalbox: jobs of remote agents',
    // Not deny_delete: the job of an attempt that has ended is removed.
    max_msgs_per_subject: 1,
    max_bytes: work,
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
    deny_purge: true,
    deny_delete: true,
    max_bytes: rejected,
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
export async function openStreams(
  { manager, replicas }: StreamsOptions,
  remoteAgents: number,
): Promise<void> {
  for (const settings of streamsOf(streamSizes(remoteAgents)))
    await ensureStream(manager, { ...settings, num_replicas: replicas });
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
}

/** Creates or updates the queue and the bucket of a remote agent. */
export async function openQueue(
  { client, manager, replicas }: StreamsOptions,
  { agent, ackWaitMs, maxDeliveries }: QueueSettings,
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
  // Not deny_purge: an object is deleted by a purge of its parts.
  const limits = { max_bytes: BUCKET_BYTES, max_age: DAY_NS, deny_delete: true };
  if (present === null) {
    const { max_bytes, max_age: ttl } = limits;
    await new Objm(client).create(fileBucket(agent), { storage: StorageType.File, replicas, max_bytes, ttl });
  } else {
    await manager.streams.update(bucket, { ...present.config, ...limits, num_replicas: replicas });
  }
}

async function ensureStream(manager: JetStreamManager, settings: Settings): Promise<void> {
  const present = await manager.streams.info(settings.name).catch(missing(JetStreamApiCodes.StreamNotFound));
  if (present === null) {
    await manager.streams.add(settings);
    return;
  }
  // What is in it stays, also if it may hold less from now on.
  const max_bytes = Math.max(settings.max_bytes, present.state.bytes);
  await manager.streams.update(settings.name, { ...present.config, ...settings, max_bytes });
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
