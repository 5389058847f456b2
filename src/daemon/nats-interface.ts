/**
 * The interface over NATS: commands, messages of agents, and the queues of remote agents. The queues exist before the
 * engine begins, which may have jobs for them; messages are received only after it has begun.
 */
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Engine } from '../app/engine/engine.ts';
import type { Environment } from '../base/environment.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { minimumStorageBytes, minimumStorageText } from '../contracts/messages/storage.ts';
import { jobOfSubject, WORK_STREAM } from '../contracts/messages/subjects.ts';
import type { RemoteDriver } from '../drivers/remote.ts';
import { isStorageShort } from '../journal/failures.ts';
import { AgentInbox } from '../nats/agent-inbox.ts';
import { AnswerableRequests } from '../nats/answerable.ts';
import { CommandService, type CommandServiceOptions } from '../nats/command-service.ts';
import { Rejections } from '../nats/rejections.ts';
import { RemoteAgent } from '../nats/remote-agent.ts';
import { openQueue, openStreams } from '../nats/streams.ts';
import { VERSION } from '../version.ts';
import { isServerGiven } from './nats-address.ts';
import type { NatsLink } from './nats-link.ts';

export interface NatsInterfaceOptions {
  readonly nats: NatsLink;
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly environment: Environment;
}

export type CommandParts = Pick<
  CommandServiceOptions,
  'app' | 'health' | 'people' | 'webhooks' | 'background' | 'audit'
>;

const TIMEOUT_MS = 5_000;
/** How often a job is delivered that no worker starts. */
const MAX_DELIVERIES = 10;
const MAX_DELIVERIES_ADVISORY = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${WORK_STREAM}.*`;

export class NatsInterface {
  readonly rejections: Rejections;
  readonly answerable: AnswerableRequests;
  readonly #options: NatsInterfaceOptions;
  readonly #manager: JetStreamManager;
  readonly #remotes: ReadonlyMap<string, RemoteAgent>;
  #inbox: AgentInbox | null = null;
  #commands: CommandService | null = null;
  #advisories: Subscription | null = null;

  private constructor(
    options: NatsInterfaceOptions,
    manager: JetStreamManager,
    remotes: ReadonlyMap<string, RemoteAgent>,
  ) {
    const { connection } = options.nats;
    this.#options = options;
    this.#manager = manager;
    this.#remotes = remotes;
    this.answerable = new AnswerableRequests(
      options.logger.child({ component: 'nats' }),
      options.environment.clock,
    );
    this.rejections = new Rejections(connection, jetstream(connection), options.environment.clock);
  }

  /** Writes nothing, so that a standby can call it. @throws SignalboxError `nats_unavailable` */
  static async connect(options: NatsInterfaceOptions): Promise<NatsInterface> {
    const { nats, config, logger, environment } = options;
    const { connection } = nats;
    const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS }).catch((cause: unknown) => {
      throw unavailableStreams(cause);
    });
    const client = jetstream(connection, { timeout: TIMEOUT_MS });
    const remotes = new Map<string, RemoteAgent>();
    for (const [agent, settings] of Object.entries(config.agents)) {
      if (settings.driver !== 'remote') continue;
      const remote = new RemoteAgent({
        agent,
        offlineMs: settings.offline_after_seconds * 1_000,
        heartbeatMs: settings.heartbeat_seconds * 1_000,
        queueMs: settings.queue_seconds * 1_000,
        connection,
        client,
        manager,
        logger,
        clock: environment.clock,
      });
      remotes.set(agent, remote);
    }
    return new NatsInterface(options, manager, remotes);
  }

  /** Creates the streams and queues for the engine that has taken over. @throws SignalboxError `nats_unavailable` */
  async prepare({ host, supervisor }: Engine): Promise<void> {
    const { nats, config } = this.#options;
    const client = jetstream(nats.connection, { timeout: TIMEOUT_MS });
    const streams = { client, manager: this.#manager, replicas: config.nats.replicas };
    try {
      await openStreams(streams, this.#remotes.size);
      for (const { id: agent, offlineMs } of this.#remotes.values()) {
        // A worker that reports nothing about a job for this long counts as gone.
        const ackWaitMs = offlineMs;
        await openQueue(streams, {
          agent,
          ackWaitMs,
          maxDeliveries: MAX_DELIVERIES,
        });
      }
    } catch (cause) {
      throw isStorageShort(cause) ? tooSmall(config, this.#remotes.size, cause) : unavailableStreams(cause);
    }
    for (const remote of this.#remotes.values()) {
      remote.attach({ host, decide: (event) => supervisor.decide(event) });
    }
  }

  driverOf(agent: string): RemoteDriver | undefined {
    return this.#remotes.get(agent)?.driver;
  }

  /** To be called when the agents are registered, before anything is dispatched. */
  begin(): void {
    for (const { presence } of this.#remotes.values()) presence.begin();
  }

  /** Starts receiving messages of agents and commands. */
  async listen({ app, health, people, webhooks, background, audit }: CommandParts): Promise<void> {
    const { nats, logger: parent } = this.#options;
    const { connection } = nats;
    const logger = parent.child({ component: 'nats' });
    this.#advisories = connection.subscribe(MAX_DELIVERIES_ADVISORY, {
      callback: (error, message) => {
        if (!error) void this.#giveUp(message.json<{ stream_seq: number; deliveries: number }>());
      },
    });
    this.#inbox = new AgentInbox({
      app,
      connection,
      client: jetstream(connection, { timeout: TIMEOUT_MS }),
      logger,
      remotes: this.#remotes,
      rejections: this.rejections,
    });
    this.#commands = await CommandService.start({
      app,
      health,
      people,
      webhooks,
      audit,
      background,
      rejected: (agent, limit) => this.rejections.list(agent, limit),
      connection,
      answerable: this.answerable,
      logger,
      version: VERSION,
    });
  }

  async close(): Promise<void> {
    this.#advisories?.unsubscribe();
    await this.#commands?.stop();
    await this.#inbox?.close();
    for (const remote of this.#remotes.values()) remote.close();
  }

  /** A job was delivered too often. If this notification is lost, the job still times out in the queue. */
  async #giveUp({ stream_seq: seq, deliveries }: { stream_seq: number; deliveries: number }): Promise<void> {
    try {
      const message = await this.#manager.streams.getMessage(WORK_STREAM, { seq });
      const job = message && jobOfSubject(message.subject);
      if (!job) return;
      this.#remotes
        .get(job.agent)
        ?.driver.fail(job, `it was delivered to workers ${deliveries} times, and none started it`);
    } catch (err) {
      this.#options.logger.warn({ err, seq }, 'could not read a job that no worker starts');
    }
  }
}

function unavailableStreams(cause: unknown): SignalboxError {
  return new SignalboxError(
    'nats_unavailable',
    `could not create the streams for agents in NATS: ${messageOf(cause)}`,
    { cause },
  );
}

function tooSmall(config: SignalboxConfig, remoteAgents: number, cause: unknown): SignalboxError {
  const { max_file_bytes: given } = config.nats;
  const minimum = minimumStorageText(remoteAgents);
  const what = isServerGiven(config)
    ? 'raise max_file of its JetStream, or the limit of the account'
    : given === undefined
      ? 'free space on the disk of data_dir, of which the server takes four fifths at most, or move data_dir'
      : `raise nats.max_file_bytes, which is ${given}; if it is large enough, free space on the disk of data_dir`;
  return new SignalboxError(
    'nats_unavailable',
    `the NATS server has too little storage for the streams of Signalbox (${messageOf(cause)}): they need ${minimum} beside the log as it is. To continue, ${what}`,
    { cause, details: { minimumBytes: minimumStorageBytes(remoteAgents) } },
  );
}
