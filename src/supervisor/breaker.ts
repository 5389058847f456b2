/**
 * The circuit breaker of an agent: after some failures in a row it is parked, and then tried with one attempt.
 *
 * Z1 The counts are the agent machine's own, hence in the log: a restart does not close the breaker.
 * Z2 Only an attempt that says something about the agent decides; a lost or cancelled probe is repeated.
 */
import type { DomainEvent } from '../contracts/events.ts';
import { type AttemptOutcome, FAILED_OUTCOMES } from '../contracts/tasks.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { TimerQueue } from '../runtime/timer-queue.ts';

export interface BreakerSettings {
  /** Failures in a row after which the agent is parked. */
  readonly failures: number;
  /** How long the first time; each time in a row twice as long. */
  readonly cooldownMs: number;
  readonly maxCooldownMs: number;
}

export interface BreakerOptions {
  readonly host: ActorHost;
  readonly timers: TimerQueue;
  readonly now: () => number;
  readonly settingsOf: (agent: string) => BreakerSettings | undefined;
  readonly decide: (event: DomainEvent) => void;
}

const WORKING_STATES: ReadonlySet<string> = new Set(['idle', 'busy']);

export class Breaker {
  readonly #options: BreakerOptions;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** Follows the end of one of the agent's attempts. */
  onEnded(agent: string, outcome: AttemptOutcome): void {
    const { host, decide, settingsOf, now } = this.#options;
    const entity = host.get('agent', agent);
    const isProbing = entity?.state === 'probing';
    if (isProbing && outcome === 'completed') return decide({ type: 'agent.unparked', agent });
    const settings = settingsOf(agent);
    if (!entity || !settings || !FAILED_OUTCOMES.has(outcome)) return;
    const { failures, parkings } = entity.context;
    if (!isProbing && (failures < settings.failures || !WORKING_STATES.has(entity.state))) return;
    const cooldown = Math.min(settings.cooldownMs * 2 ** parkings, settings.maxCooldownMs);
    const reason = `${failures} attempts in a row failed`;
    decide({ type: 'agent.parked', agent, reason, until_ms: now() + cooldown });
  }

  /** Sets the timer of a parked agent, after the parking and after a restart. */
  takeUp(agent: string): void {
    const { host, timers, decide } = this.#options;
    const entity = host.get('agent', agent);
    if (entity?.state !== 'parked' || entity.context.parkedUntil === null) return;
    timers.set(`probe:${agent}`, entity.context.parkedUntil, () => {
      if (host.get('agent', agent)?.state === 'parked') decide({ type: 'agent.probed', agent });
    });
  }
}
