/** The agents of this process: their drivers and settings, and which lanes each may take from. */
import type { Driver } from '../../drivers/driver.ts';
import type { BreakerSettings } from './breaker.ts';
import type { Lane } from './ready-queue.ts';

export interface AgentDefinition {
  readonly id: string;
  readonly driver: Driver;
  readonly capabilities: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly killGraceMs: number;
  /** How long it may go on after it has given its result. */
  readonly lingerMs: number;
  /** How long it may give no sign of life; absent where silence alone stops nothing. */
  readonly silenceMs?: number | undefined;
  /** Absent for an agent that is never parked. */
  readonly breaker?: BreakerSettings | undefined;
  readonly promptLanguage: 'en' | 'zh';
  /** Whether a retry goes on with the session of the attempt before it, where its driver can. Default: yes. */
  readonly resumesSessions?: boolean;
}

interface Entry {
  readonly definition: AgentDefinition;
  readonly lanes: readonly Lane[];
}

export class AgentRoster {
  readonly #entries = new Map<string, Entry>();
  readonly #byLane = new Map<Lane, string[]>();

  constructor(definitions: Iterable<AgentDefinition>) {
    for (const definition of definitions) {
      const lanes: Lane[] = [
        `agent:${definition.id}`,
        ...definition.capabilities.map((type): Lane => `type:${type}`),
      ];
      this.#entries.set(definition.id, { definition, lanes });
      for (const lane of lanes) {
        const agents = this.#byLane.get(lane);
        if (agents) agents.push(definition.id);
        else this.#byLane.set(lane, [definition.id]);
      }
    }
  }

  get(id: string): AgentDefinition | undefined {
    return this.#entries.get(id)?.definition;
  }

  *all(): Iterable<AgentDefinition> {
    for (const { definition } of this.#entries.values()) yield definition;
  }

  lanesOf(id: string): readonly Lane[] {
    return this.#entries.get(id)?.lanes ?? [];
  }

  /** The agents that may take from a lane. */
  takersOf(lane: Lane): readonly string[] {
    return this.#byLane.get(lane) ?? [];
  }
}

/** Where a task waits: for its agent where it names one, else for any agent that can do its type. */
export function laneOf(spec: {
  readonly agent?: string | undefined;
  readonly type?: string | undefined;
}): Lane {
  return spec.agent === undefined ? `type:${spec.type ?? ''}` : `agent:${spec.agent}`;
}
