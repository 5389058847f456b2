/** The agents: who is there, how much each has to do, and why one takes no tasks. */
import { unreachable } from '../src/contracts/errors.ts';
import type { StoredRecord } from '../src/contracts/events.ts';
import { FAILED_OUTCOMES } from '../src/contracts/tasks.ts';
import type { KeptProjection } from './projection.ts';

export interface AgentView {
  readonly id: string;
  readonly driver: string;
  readonly capabilities: readonly string[];
  readonly concurrency: number;
  /** `idle`, `busy`, `paused`, `draining`, `parked`, `probing`, `offline`. */
  readonly state: string;
  /** Epoch milliseconds at which it came into this state. */
  readonly since: number;
  /** Attempts that are open. */
  readonly running: number;
  /** Attempts in a row that failed. */
  readonly failures: number;
  /** Epoch milliseconds at which a parked agent is tried again; null for any other. */
  readonly parkedUntil: number | null;
  /** Why it takes no tasks; null where it does, or where nobody gave a reason. */
  readonly reason: string | null;
  /** Who paused or drained it; null in any other state. */
  readonly by: string | null;
}

export interface Agents {
  /** In the order of their first registration. */
  readonly byId: Map<string, AgentView>;
}

type Changes = Partial<Omit<AgentView, 'id' | 'state' | 'since'>>;

const UNKNOWN: Omit<AgentView, 'id' | 'since'> = {
  driver: '',
  capabilities: [],
  concurrency: 1,
  state: 'offline',
  running: 0,
  failures: 0,
  parkedUntil: null,
  reason: null,
  by: null,
};

const AT_WORK: Changes = { parkedUntil: null, reason: null, by: null };

export const agents: KeptProjection<Agents> = {
  name: 'agents',
  version: 1,
  initial: () => ({ byId: new Map() }),
  evolve(state, record) {
    const { event, time } = record;
    const transition = record.transitions.find(({ entity }) => entity === 'agent');
    if (!transition || !('agent' in event)) return;
    const agent = state.byId.get(transition.id) ?? { ...UNKNOWN, id: transition.id, since: time };
    state.byId.set(agent.id, {
      ...agent,
      ...changesOf(record, agent, transition.from),
      state: transition.to,
      since: transition.from === transition.to ? agent.since : time,
    });
  },
  toJSON: (state) => [...state.byId.values()],
  forget: () => {},
  restore: (json) => ({ byId: new Map((json as AgentView[]).map((agent) => [agent.id, agent])) }),
};

/** @param from the state before; null where the agent is new */
function changesOf({ event, actor }: StoredRecord, agent: AgentView, from: string | null): Changes {
  if (!('agent' in event)) return {};
  const by = actor.replace(/^user:/, '');
  switch (event.type) {
    case 'agent.registered': {
      const { driver, capabilities, concurrency } = event;
      const isBack = from === null || from === 'offline';
      return { ...(isBack ? AT_WORK : {}), driver, capabilities, concurrency };
    }
    case 'task.claimed':
      return { running: agent.running + 1 };
    case 'attempt.ended': {
      const running = agent.running - 1;
      if (event.outcome === 'completed') return { running, failures: 0 };
      return { running, failures: agent.failures + (FAILED_OUTCOMES.has(event.outcome) ? 1 : 0) };
    }
    case 'agent.paused':
    case 'agent.drained':
      return { parkedUntil: null, reason: event.reason ?? null, by };
    case 'agent.resumed':
    case 'agent.unparked':
      return { ...AT_WORK, failures: 0 };
    case 'agent.parked':
      return { parkedUntil: event.until_ms, reason: event.reason, by: null };
    case 'agent.probed':
      return { parkedUntil: null };
    case 'agent.retired':
      return { parkedUntil: null, reason: event.reason, by: null };
    case 'task.progress_reported':
    case 'task.submitted':
    case 'task.failure_reported':
    case 'attempt.started':
      return {};
    default:
      return unreachable(event, 'agents');
  }
}
