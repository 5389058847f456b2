/** The remote agents of the configuration: a queue, a driver and a list of workers for each. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent } from '../contracts/events/events.ts';
import { RemoteDriver } from '../drivers/remote.ts';
import type { ActorHost } from '../engine/runtime/actor-host.ts';
import { Presence } from './presence.ts';
import { JetStreamWorkQueue } from './work-queue.ts';

/** Milliseconds. */
export interface RemoteSettings {
  readonly agent: string;
  readonly heartbeatMs: number;
  readonly offlineMs: number;
  readonly queueMs: number;
}

/** What a remote agent needs of the engine, which is there only later: its drivers come first. */
export interface Supervision {
  readonly host: ActorHost;
  readonly decide: (event: DomainEvent) => void;
}

export interface RemoteAgentOptions extends RemoteSettings {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly logger: Logger;
  readonly clock: Clock;
}

export class RemoteAgent {
  readonly id: string;
  readonly heartbeatMs: number;
  readonly offlineMs: number;
  readonly driver: RemoteDriver;
  readonly #options: RemoteAgentOptions;
  #presence: Presence | null = null;

  constructor(options: RemoteAgentOptions) {
    const { agent, heartbeatMs, offlineMs, queueMs, clock } = options;
    this.#options = options;
    this.id = agent;
    this.heartbeatMs = heartbeatMs;
    this.offlineMs = offlineMs;
    this.driver = new RemoteDriver({
      queue: new JetStreamWorkQueue(options),
      clock,
      queueMs,
      confirmMs: offlineMs,
      onTaken: (worker) => this.#presence?.seen(worker),
    });
  }

  /** To be called before anything is started or heard. */
  attach({ host, decide }: Supervision): void {
    const { agent, clock, logger, offlineMs } = this.#options;
    this.#presence = new Presence({
      agent,
      host,
      clock,
      logger,
      offlineMs,
      decide,
      onLost: (worker, reason) => this.driver.lose(worker, reason),
    });
  }

  get presence(): Presence {
    if (this.#presence) return this.#presence;
    throw new SignalboxError('internal', `agent ${this.id} is used before it is attached`);
  }

  close(): void {
    this.#presence?.close();
  }
}
