/** The agents of this process: their drivers and settings, which queues each takes from, and their registration. */
import { isDeepStrictEqual } from 'node:util';
import type { AgentView, Projections } from '../../../projections/index.ts';
import type { DomainEvent } from '../../contracts/events/events.ts';
import type { Driver } from '../../drivers/driver.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { BreakerSettings } from './breaker.ts';
import type { QuestionSettings } from './questions/question-ref.ts';
import type { QueueKey } from './ready-tasks.ts';
import type { WorkspaceSettings } from './workspaces/workspace-settings.ts';

export interface AgentDefinition {
  readonly id: string;
  readonly driver: Driver;
  readonly capabilities: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly killGraceMs: number;
  /** How long its process may go on after it has reported its result. */
  readonly lingerMs: number;
  /** How long it may give no sign of life; undefined: silence alone stops nothing. */
  readonly silenceMs?: number | undefined;
  /** undefined: the agent is never parked. */
  readonly breaker?: BreakerSettings | undefined;
  /** undefined: it waits for every answer, and people decide about every permission. */
  readonly questions?: QuestionSettings | undefined;
  readonly promptLanguage: 'en' | 'zh';
  /** Each of its tasks has a workspace of its own. undefined: it works where its driver says. */
  readonly workspace?: WorkspaceSettings | undefined;
  /** Whether a retry resumes the session of the attempt before it, if the driver can. Default: true. */
  readonly resumesSessions?: boolean;
}

interface Entry {
  readonly definition: AgentDefinition;
  readonly queues: readonly QueueKey[];
  /** The parts of these queues from which only it takes. */
  readonly own: readonly QueueKey[];
}

export class AgentRoster {
  readonly #entries = new Map<string, Entry>();
  readonly #byQueue = new Map<QueueKey, string[]>();
  /** Drivers of earlier configurations: their attempts may still run. */
  readonly #earlier = new Set<Driver>();

  constructor(definitions: Iterable<AgentDefinition>) {
    this.#fill(definitions);
  }

  /** The agents of a changed configuration. Attempts that run keep the driver that they were started with. */
  replace(definitions: Iterable<AgentDefinition>): void {
    for (const driver of this.drivers()) this.#earlier.add(driver);
    this.#entries.clear();
    this.#byQueue.clear();
    this.#fill(definitions);
  }

  #fill(definitions: Iterable<AgentDefinition>): void {
    for (const definition of definitions) {
      const { id, capabilities } = definition;
      const types = capabilities.map((type): QueueKey => `type:${type}`);
      const queues = [`agent:${id}`, ...types];
      const own = types.map((queue) => ownPart(queue, id));
      this.#entries.set(id, { definition, queues, own });
      for (const queue of [...queues, ...own]) {
        const agents = this.#byQueue.get(queue);
        if (agents) agents.push(id);
        else this.#byQueue.set(queue, [id]);
      }
    }
  }

  get(id: string): AgentDefinition | undefined {
    return this.#entries.get(id)?.definition;
  }

  *all(): Iterable<AgentDefinition> {
    for (const { definition } of this.#entries.values()) yield definition;
  }

  /** The drivers of all agents, those of earlier configurations included. */
  drivers(): ReadonlySet<Driver> {
    return new Set([...this.#earlier, ...[...this.all()].map(({ driver }) => driver)]);
  }

  queuesOf(id: string): readonly QueueKey[] {
    return this.#entries.get(id)?.queues ?? [];
  }

  /** All that it takes from: its queues, and the parts of them from which only it takes. */
  sourcesOf(id: string): readonly QueueKey[] {
    const { queues = [], own = [] } = this.#entries.get(id) ?? {};
    return [...queues, ...own];
  }

  takersOf(queue: QueueKey): readonly string[] {
    return this.#byQueue.get(queue) ?? [];
  }
}

/** The part of the queue of a type from which only this agent takes: it has the sessions of these tasks. */
export function ownPart(queue: QueueKey, agent: string): QueueKey {
  return `${queue}@${agent}`;
}

/** The queue that a part belongs to, or the queue itself. */
export function wholeOf(queue: QueueKey): QueueKey {
  return queue.split('@')[0] ?? queue;
}

/** The queue in which a task waits: of its agent if it names one, otherwise of its type. */
export function queueOf(spec: {
  readonly agent?: string | undefined;
  readonly type?: string | undefined;
}): QueueKey {
  return spec.agent === undefined ? `type:${spec.type ?? ''}` : `agent:${spec.agent}`;
}

/**
 * Registers agents that are new or changed in the configuration, and retires those that are no longer in it. An agent that
 * announces itself is offline from the first moment until it does.
 */
export function registerAgents(
  host: ActorHost,
  projections: Projections,
  roster: AgentRoster,
  decide: (event: DomainEvent) => void,
): void {
  for (const agent of roster.all()) {
    const known = projections.agents.byId.get(agent.id);
    const isGone = known?.state === 'offline' && agent.driver.isAnnounced !== true;
    if (known && !isGone && isRegisteredAs(agent, known)) continue;
    const { id, driver, capabilities, concurrency } = agent;
    decide({
      type: 'agent.registered',
      agent: id,
      driver: driver.name,
      capabilities: [...capabilities],
      concurrency,
    });
  }
  for (const { id, driver } of roster.all()) {
    if (driver.isAnnounced !== true || !PRESENT_STATES.has(host.get('agent', id)?.state ?? '')) continue;
    decide({ type: 'agent.disconnected', agent: id, reason: 'none of its workers has sent a message' });
  }
  for (const id of [...host.ids('agent')]) {
    if (roster.get(id) || host.get('agent', id)?.state === 'offline') continue;
    decide({ type: 'agent.retired', agent: id, reason: 'it is not in the configuration any more' });
  }
}

/** States of an agent in which its presence matters. */
export const PRESENT_STATES: ReadonlySet<string> = new Set(['idle', 'busy', 'parked', 'probing']);

function isRegisteredAs(agent: AgentDefinition, known: AgentView): boolean {
  return (
    known.driver === agent.driver.name &&
    known.concurrency === agent.concurrency &&
    isDeepStrictEqual(known.capabilities, agent.capabilities)
  );
}
