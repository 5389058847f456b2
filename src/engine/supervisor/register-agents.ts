/** Tells the log of the agents that this process is configured with, and of those that it is not any more. */
import { isDeepStrictEqual } from 'node:util';
import type { AgentView, Projections } from '../../../projections/index.ts';
import type { DomainEvent, EventOf } from '../../contracts/events/events.ts';
import type { ActorHost } from '../runtime/actor-host.ts';
import type { AgentDefinition, AgentRoster } from './agent-roster.ts';

export function registerAgents(
  host: ActorHost,
  projections: Projections,
  roster: AgentRoster,
  decide: (event: DomainEvent) => void,
): void {
  for (const agent of roster.all()) {
    const known = projections.agents.byId.get(agent.id);
    const isGone = known?.state === 'offline' && agent.driver.isAnnounced !== true;
    if (!known || isGone || !isRegisteredAs(agent, known)) decide(registration(agent));
  }
  for (const id of [...host.ids('agent')]) {
    if (roster.get(id) || host.get('agent', id)?.state === 'offline') continue;
    decide({ type: 'agent.retired', agent: id, reason: 'it is not in the configuration any more' });
  }
}

/** Whether the log knows the agent as it is configured now. */
function isRegisteredAs(agent: AgentDefinition, known: AgentView): boolean {
  return (
    known.driver === agent.driver.name &&
    known.concurrency === agent.concurrency &&
    isDeepStrictEqual(known.capabilities, agent.capabilities)
  );
}

function registration(agent: AgentDefinition): EventOf<'agent.registered'> {
  return {
    type: 'agent.registered',
    agent: agent.id,
    driver: agent.driver.name,
    capabilities: [...agent.capabilities],
    concurrency: agent.concurrency,
  };
}
