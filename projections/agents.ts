/** The agents: who is there, how much each has to do, and why one takes no tasks. */
import { unreachable } from '../src/contracts/errors.ts';
import type { StoredRecord } from '../src/contracts/events/events.ts';
import { FAILED_OUTCOMES } from '../src/contracts/tasks.ts';
import { type Draft, draftOf, type KeptProjection } from './projection.ts';

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

type AgentDraft = Draft<AgentView>;

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

export const agents: KeptProjection<Agents> = {
  name: 'agents',
  version: 1,
  initial: () => ({ byId: new Map() }),
  evolve(state, record, entries = 'handed out') {
    const { event, time } = record;
    const transition = record.transitions.find(({ entity }) => entity === 'agent');
    if (!transition || !('agent' in event)) return;
    const { id, from, to } = transition;
    const agent = state.byId.get(id);
    const next = agent ? draftOf(agent, entries) : { ...UNKNOWN, id, since: time };
    if (from !== to) next.since = time;
    next.state = to;
    change(next, record, from);
    if (next !== agent) state.byId.set(id, next);
  },
  toJSON: (state) => [...state.byId.values()],
  forget: () => {},
  restore: (json) => ({ byId: new Map((json as AgentView[]).map((agent) => [agent.id, agent])) }),
};

/** @param from the state before; null where the agent is new */
function change(next: AgentDraft, { event, actor }: StoredRecord, from: string | null): void {
  if (!('agent' in event)) return;
  switch (event.type) {
    case 'agent.registered':
      if (from === null || from === 'offline') putToWork(next);
      next.driver = event.driver;
      next.capabilities = event.capabilities;
      next.concurrency = event.concurrency;
      return;
    case 'task.claimed':
      next.running++;
      return;
    case 'attempt.ended':
      next.running--;
      if (event.outcome === 'completed') next.failures = 0;
      else if (FAILED_OUTCOMES.has(event.outcome)) next.failures++;
      return;
    case 'agent.paused':
    case 'agent.drained':
      next.parkedUntil = null;
      next.reason = event.reason ?? null;
      next.by = actor.replace(/^user:/, '');
      return;
    case 'agent.resumed':
    case 'agent.unparked':
      putToWork(next);
      next.failures = 0;
      return;
    case 'agent.parked':
      next.parkedUntil = event.until_ms;
      next.reason = event.reason;
      next.by = null;
      return;
    case 'agent.probed':
      next.parkedUntil = null;
      return;
    case 'agent.connected':
      putToWork(next);
      return;
    case 'agent.disconnected':
    case 'agent.retired':
      next.parkedUntil = null;
      next.reason = event.reason;
      next.by = null;
      return;
    case 'task.progress_reported':
    case 'task.submitted':
    case 'task.failure_reported':
    case 'attempt.started':
      return;
    default:
      unreachable(event, 'agents');
  }
}

function putToWork(next: AgentDraft): void {
  next.parkedUntil = null;
  next.reason = null;
  next.by = null;
}
