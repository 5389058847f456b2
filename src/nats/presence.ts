/**
 * Which workers of a remote agent are there.
 *
 * P1 An agent is offline when none of its workers has been heard of for `offlineMs`, or the last has said goodbye. That is
 *    a state of its machine, hence in the log.
 * P2 A worker that is gone takes its runs with it: they end as lost, and are tried again.
 * P3 A process that has just begun knows no worker. It holds none for gone that a run names, until the time is over.
 */
import type { Logger } from 'pino';
import type { Clock } from '../base/environment.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { DomainEvent } from '../contracts/events/events.ts';
import type { ActorHost } from '../engine/runtime/actor-host.ts';

export interface PresenceOptions {
  readonly agent: string;
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly offlineMs: number;
  readonly decide: (event: DomainEvent) => void;
  /** The worker is gone. */
  readonly onLost: (worker: string, reason: string) => void;
}

/** An agent's processes; a broken one that names itself anew each time must not fill the memory. */
const MAX_WORKERS = 1_000;
/** States that say that the agent is there. */
const PRESENT: ReadonlySet<string> = new Set(['idle', 'busy', 'parked', 'probing']);
/** Looks per time after which a worker counts as gone. */
const LOOKS = 4;

export class Presence {
  readonly #options: PresenceOptions;
  /** Epoch milliseconds at which each was last heard of. */
  readonly #workers = new Map<string, number>();
  #cancelLook: () => void = () => {};
  #isClosed = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  get workers(): readonly string[] {
    return [...this.#workers.keys()];
  }

  /** To be called when the agents are registered: says what is known now. */
  begin(): void {
    if (this.#workers.size === 0) this.#disconnect('none of its workers has been heard of');
    this.#scheduleLook();
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

  /** It has said goodbye. */
  left(worker: string): void {
    this.#lose(worker, `worker ${worker} has stopped`);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
  }

  #scheduleLook(): void {
    if (this.#isClosed) return;
    const { clock, offlineMs } = this.#options;
    this.#cancelLook = clock.schedule(offlineMs / LOOKS, () => {
      this.#look();
      this.#scheduleLook();
    });
  }

  #look(): void {
    const { clock, offlineMs } = this.#options;
    for (const [worker, seenAt] of [...this.#workers]) {
      if (clock.now() - seenAt < offlineMs) continue;
      this.#lose(worker, `worker ${worker} has sent no heartbeat for ${Math.round(offlineMs / 1_000)} s`);
    }
  }

  #lose(worker: string, reason: string): void {
    const { logger, agent, onLost } = this.#options;
    if (!this.#workers.delete(worker)) return;
    logger.warn({ agent, worker }, reason);
    // First: an agent without workers must not be given the tasks of the one that it has just lost.
    if (this.#workers.size === 0) this.#disconnect(reason);
    onLost(worker, reason);
  }

  #disconnect(reason: string): void {
    const { agent, host, decide } = this.#options;
    if (PRESENT.has(host.get('agent', agent)?.state ?? ''))
      decide({ type: 'agent.disconnected', agent, reason });
  }
}
