/** Agents: reading, pausing, draining and resuming them. */
import type { AgentView } from '../../../projections/index.ts';
import type { AgentAnswer } from '../../contracts/api/answers.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import type { AgentDefinition } from '../../engine/supervisor/agent-roster.ts';
import { openAttemptJson, openAttempts } from '../attempts/attempts.ts';
import { holderOf } from '../budgets/budgets.ts';
import { type AppContext, deciderOf, type Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

/** The configured agents, in the order of the configuration. */
export function listAgents(app: AppContext): AgentAnswer[] {
  return [...app.supervision.roster.all()].map((definition) =>
    agentJson(configured(app, definition), holderOf(app, definition.id)),
  );
}

/** An agent with its open attempts, even if it is no longer configured. @throws SignalboxError `agent_not_found` */
export function readAgent(app: AppContext, id: string): AgentAnswer {
  const open_attempts = openAttempts(app)
    .filter(({ agent }) => agent === id)
    .map(openAttemptJson);
  return { ...agentJson(findAgent(app, id), holderOf(app, id)), open_attempts };
}

/** @throws SignalboxError `agent_not_found` */
function findAgent(app: AppContext, id: string): AgentView | Unregistered {
  const definition = app.supervision.roster.get(id);
  if (definition) return configured(app, definition);
  const view = app.state.projections.agents.byId.get(id);
  if (view) return view;
  const known = [...app.supervision.roster.all()].map((agent) => agent.id);
  throw new SignalboxError(
    'agent_not_found',
    `there is no agent ${id}; configured are: ${known.join(', ') || 'none'}`,
    { details: { agent: id, known } },
  );
}

/** The present configuration counts, even if an older one is still registered. */
function configured(
  { state }: Needs<'state.projections'>,
  definition: AgentDefinition,
): AgentView | Unregistered {
  const { id, driver, capabilities } = definition;
  const view = state.projections.agents.byId.get(id);
  return view ? { ...view, driver: driver.name, capabilities } : unregistered(definition);
}

/** An agent whose registration is not stored yet. */
type Unregistered = Omit<AgentView, 'since'> & { readonly since: null };

function unregistered({ id, driver, capabilities, concurrency }: AgentDefinition): Unregistered {
  return {
    id,
    driver: driver.name,
    capabilities,
    concurrency,
    state: 'offline',
    since: null,
    running: 0,
    failures: 0,
    parkedUntil: null,
    reason: null,
    by: null,
  };
}

/** @param budget that holds it back */
export function agentJson(agent: AgentView | Unregistered, budget: AgentAnswer['budget']): AgentAnswer {
  const { id, state, running, concurrency, failures, reason, by, driver, capabilities } = agent;
  return {
    id,
    state: state === 'draining' && running === 0 ? 'drained' : state,
    since: timeOf(agent.since),
    running,
    concurrency,
    failures,
    parked_until: timeOf(agent.parkedUntil),
    reason,
    by,
    budget,
    driver,
    capabilities: [...capabilities],
  };
}

const EVENTS = { pause: 'agent.paused', drain: 'agent.drained', resume: 'agent.resumed' } as const;

export type AgentDecision = keyof typeof EVENTS;

export const AGENT_DECISIONS = Object.keys(EVENTS) as readonly AgentDecision[];

/**
 * A paused or draining agent gets no new tasks, and its open attempts go on; draining means that it is being taken
 * out of service. Both survive restarts. Resuming also ends a parking early.
 * @returns the agent afterwards. @throws SignalboxError `agent_not_found`, `illegal_transition`, `log_unavailable`
 */
export async function decideAgent(
  app: AppContext,
  id: string,
  decision: AgentDecision,
  request: Decision,
  actor: string,
): Promise<AgentAnswer> {
  findAgent(app, id);
  const event: EventOf<(typeof EVENTS)[AgentDecision]> = {
    type: EVENTS[decision],
    agent: id,
    reason: request.comment,
  };
  app.log.assertWritable();
  await app.log.commit(event, { actor: deciderOf(request, actor) });
  return readAgent(app, id);
}
