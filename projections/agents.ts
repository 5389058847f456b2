/** The agents: their state, how much each has to do, and why one takes no tasks. */
import type { TypeAbout } from '../src/contracts/events/events.ts';
import { isFailure } from '../src/contracts/tasks.ts';
import { entityProjection } from './entities.ts';
import { type Draft, type Handlers, onlyMoves, type PastProjection, personOf } from './projection.ts';

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
  /** Why it takes no tasks; null if it does, or if no reason was given. */
  readonly reason: string | null;
  /** Who paused or drained it; null in other states. */
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

const HANDLERS: Handlers<TypeAbout<'agent'>, AgentDraft> = {
  'agent.registered': (next, { driver, capabilities, concurrency }, { transitions: [moved] }) => {
    if (moved?.from == null || moved.from === 'offline') clearReason(next);
    next.driver = driver;
    next.capabilities = capabilities;
    next.concurrency = concurrency;
  },
  'task.claimed': (next) => {
    next.running++;
  },
  'attempt.ended': (next, { outcome }) => {
    next.running--;
    if (outcome === 'completed') next.failures = 0;
    else if (isFailure(outcome)) next.failures++;
  },
  'agent.paused': (next, { reason = null }, { actor }) => hold(next, reason, personOf(actor)),
  'agent.drained': (next, { reason = null }, { actor }) => hold(next, reason, personOf(actor)),
  'agent.resumed': resume,
  'agent.unparked': resume,
  'agent.parked': (next, { reason, until_ms }) => {
    hold(next, reason, null);
    next.parkedUntil = until_ms;
  },
  'agent.probed': (next) => {
    next.parkedUntil = null;
  },
  'agent.permission_revoked': onlyMoves,
  'agent.connected': clearReason,
  'agent.disconnected': (next, { reason }) => hold(next, reason, null),
  'agent.retired': (next, { reason }) => hold(next, reason, null),
};
export const agents: PastProjection<Agents> = entityProjection({
  name: 'agents',
  version: 1,
  entity: 'agent',
  handlers: HANDLERS,
  first: (_event, id, since): AgentDraft => ({ ...UNKNOWN, id, since }),
});

function hold(next: AgentDraft, reason: string | null, by: string | null): void {
  next.parkedUntil = null;
  next.reason = reason;
  next.by = by;
}

function clearReason(next: AgentDraft): void {
  hold(next, null, null);
}

function resume(next: AgentDraft): void {
  clearReason(next);
  next.failures = 0;
}
