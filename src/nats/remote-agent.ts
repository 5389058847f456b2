/**
 * A remote agent: its queue, its driver, and the presence of its workers.
 *
 * An agent is offline from its registration until a worker sends something (see registerAgents), and again when none of its workers has sent anything for `offlineMs`, or the last one has announced its
 * stop. This is a state of its machine, and so in the log. When a worker is gone, its runs end as `lost` and are retried.
 * After a start no worker is known yet: workers named by runs count as present for `offlineMs`.
 */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent } from '../contracts/events/events.ts';
import { RemoteDriver } from '../drivers/remote.ts';
import type { ActorHost } from '../engine/runtime/actor-host.ts';
import { PRESENT_STATES } from '../engine/supervisor/agent-roster.ts';
import { JetStreamWorkQueue } from './work-queue.ts';

export interface RemoteAgentOptions {
  readonly agent: string;
  readonly heartbeatMs: number;
  readonly offlineMs: number;
  readonly queueMs: number;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The parts of the engine that a remote agent needs; the engine is opened after its drivers. */
export interface EngineParts {
  readonly host: ActorHost;
  readonly decide: (event: DomainEvent) => void;
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

  /** To be called before anything is started or received. */
  attach(engine: EngineParts): void {
    const onLost = (worker: string, reason: string): void => this.driver.lose(worker, reason);
    const onDeserted = (reason: string): void => this.driver.giveBack(reason);
    this.#presence = new Presence({ ...this.#options, ...engine, onLost, onDeserted });
  }

  get presence(): Presence {
    if (this.#presence) return this.#presence;
    throw new SignalboxError('internal', `agent ${this.id} is used before it is attached`);
  }

  close(): void {
    this.#presence?.close();
  }
}

interface PresenceOptions
  extends EngineParts,
    Pick<RemoteAgentOptions, 'agent' | 'clock' | 'logger' | 'offlineMs'> {
  /** Called when a worker is gone. */
  readonly onLost: (worker: string, reason: string) => void;
  /** Called again and again while no worker has been there for `offlineMs`. */
  readonly onDeserted: (reason: string) => void;
}

/** A faulty agent that uses a new worker id for each message must not fill the memory. */
const MAX_WORKERS = 1_000;
/** Checks in the time after which a worker counts as gone. */
const CHECKS = 4;

class Presence {
  readonly #options: PresenceOptions;
  /** Epoch milliseconds of the last message of each worker. */
  readonly #workers = new Map<string, number>();
  #cancelCheck: () => void = () => {};
  #isClosed = false;
  /** Epoch milliseconds since when no worker is known. */
  #desertedAt = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** To be called when the agents are registered. */
  begin(): void {
    this.#desertedAt = this.#options.clock.now();
    this.#scheduleCheck();
  }

  /** @throws SignalboxError `overloaded` */
  seen(worker: string): void {
    const { agent, host, clock, decide } = this.#options;
    if (!this.#workers.has(worker) && this.#workers.size >= MAX_WORKERS) {
      throw new SignalboxError('overloaded', `agent ${agent} has ${MAX_WORKERS} workers already`);
    }
    this.#workers.set(worker, clock.now());
    if (host.get('agent', agent)?.state === 'offline') decide({ type: 'agent.connected', agent, worker });
  }

  /** The worker has announced its stop. */
  left(worker: string): void {
    this.#lose(worker, `worker ${worker} has stopped`);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelCheck();
  }

  #scheduleCheck(): void {
    if (this.#isClosed) return;
    const { clock, offlineMs } = this.#options;
    this.#cancelCheck = clock.schedule(offlineMs / CHECKS, () => {
      this.#check();
      this.#scheduleCheck();
    });
  }

  #check(): void {
    const { clock, offlineMs, onDeserted } = this.#options;
    for (const [worker, seenAt] of [...this.#workers]) {
      if (clock.now() - seenAt < offlineMs) continue;
      this.#lose(worker, `worker ${worker} has sent no heartbeat for ${Math.round(offlineMs / 1_000)} s`);
    }
    if (this.#workers.size > 0 || clock.now() - this.#desertedAt < offlineMs) return;
    onDeserted('no worker of its agent is left to begin it');
  }

  #lose(worker: string, reason: string): void {
    const { logger, agent, onLost, clock } = this.#options;
    if (!this.#workers.delete(worker)) return;
    logger.warn({ agent, worker }, reason);
    // First: an agent without workers must not be given the tasks that it has just lost.
    if (this.#workers.size === 0) this.#disconnect(reason);
    onLost(worker, reason);
    if (this.#workers.size === 0) this.#desertedAt = clock.now();
  }

  #disconnect(reason: string): void {
    const { agent, host, decide } = this.#options;
    if (PRESENT_STATES.has(host.get('agent', agent)?.state ?? ''))
      decide({ type: 'agent.disconnected', agent, reason });
  }
}
