/**
 * The circuit breaker of an agent: after several failures in a row, or when its quota is used up, the agent is parked,
 * and then probed with one attempt.
 *
 * The counts belong to the machine of the agent and are in the log, so a restart does not close the breaker. Only
 * attempts that tell something about the agent count; a lost or cancelled probe is repeated. An agent that has completed
 * an attempt since it was parked needs no probe.
 */
import { type AttemptOutcome, isFailure } from '../../contracts/tasks.ts';
import type { QuotaSign } from '../../drivers/quota.ts';
import type { SupervisorContext } from './supervisor-context.ts';

export interface BreakerSettings {
  /** Failures in a row after which the agent is parked. */
  readonly failures: number;
  /** Length of the first parking; each further one in a row lasts twice as long. */
  readonly cooldownMs: number;
  readonly maxCooldownMs: number;
}

/**
 * How long an agent waits at least whose quota is used up; each further time in a row twice as long. Its attempts do not
 * count, so nothing else would stop a tool that says "retry after 1 s" again and again.
 */
const FIRST_QUOTA_WAIT_MS = 1_000;
const MAX_QUOTA_WAIT_MS = 3_600_000;

const PARKABLE_STATES: ReadonlySet<string> = new Set(['idle', 'busy', 'probing']);

export class Breaker {
  readonly #options: SupervisorContext;

  constructor(options: SupervisorContext) {
    this.#options = options;
  }

  /** Reacts to the end of an attempt of the agent. */
  onEnded(agent: string, outcome: AttemptOutcome): void {
    if (outcome === 'completed' || isFailure(outcome)) this.#judge(agent);
  }

  /** Reacts to a used-up quota; the end of that attempt is recorded next. */
  onQuota(agent: string, { reason, untilMs }: QuotaSign): void {
    const state = this.#options.host.get('agent', agent)?.state;
    if (state === undefined || !PARKABLE_STATES.has(state)) return;
    const { parkings = 0 } = this.#options.host.get('agent', agent)?.context ?? {};
    const least = Math.min(FIRST_QUOTA_WAIT_MS * 2 ** parkings, MAX_QUOTA_WAIT_MS);
    const until_ms = Math.max(Math.round(untilMs), this.#options.environment.clock.now() + least);
    this.#options.decide({ type: 'agent.parked', agent, reason, until_ms });
  }

  /** Does what is due for an agent: called after it was parked or probed, and for each agent after a restart. */
  takeUp(agent: string): void {
    const entity = this.#options.host.get('agent', agent);
    if (!entity) return;
    switch (entity.state) {
      case 'parked':
        return this.#awaitProbe(agent, entity.context.parkedUntil);
      case 'probing':
        // Failures from before the parking do not count again.
        if (entity.context.proven) this.#options.decide({ type: 'agent.unparked', agent });
        return;
      default:
        return this.#judge(agent);
    }
  }

  #awaitProbe(agent: string, until: number | null): void {
    if (until === null) return;
    const { host, timers, decide } = this.#options;
    timers.set(`probe:${agent}`, until, () => {
      if (host.get('agent', agent)?.state === 'parked') decide({ type: 'agent.probed', agent });
    });
  }

  #judge(agent: string): void {
    const { host, roster } = this.#options;
    const entity = host.get('agent', agent);
    const settings = roster.get(agent)?.breaker;
    if (!entity) return;
    const { failures, proven } = entity.context;
    switch (entity.state) {
      case 'probing':
        if (proven) this.#options.decide({ type: 'agent.unparked', agent });
        else if (settings) this.#park(agent, settings);
        return;
      case 'idle':
      case 'busy':
        if (settings && failures >= settings.failures) this.#park(agent, settings);
        return;
      default:
        return;
    }
  }

  #park(agent: string, { cooldownMs, maxCooldownMs }: BreakerSettings): void {
    const { host, decide, environment } = this.#options;
    const { failures = 0, parkings = 0 } = host.get('agent', agent)?.context ?? {};
    const cooldown = Math.min(cooldownMs * 2 ** parkings, maxCooldownMs);
    const reason = `${failures} attempts in a row failed`;
    decide({ type: 'agent.parked', agent, reason, until_ms: environment.clock.now() + cooldown });
  }
}
