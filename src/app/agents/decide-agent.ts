/** What a person decides about an agent: pause, drain, resume. */

import type { AgentAnswer } from '../../contracts/api/answers.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import type { EventOf } from '../../contracts/events/events.ts';
import type { AgentId } from '../../contracts/ids.ts';
import type { AppContext } from '../context.ts';
import { deciderOf } from '../decider.ts';
import { findAgent, readAgent } from './read-agents.ts';

const EVENTS = { pause: 'agent.paused', drain: 'agent.drained', resume: 'agent.resumed' } as const;

export type AgentDecision = keyof typeof EVENTS;

export const AGENT_DECISIONS = Object.keys(EVENTS) as readonly AgentDecision[];

/**
 * A paused agent takes no new tasks, and what it runs goes on; a draining one is the same, and known to be emptied for
 * good. Both last over a restart, until it is resumed. Resuming also ends a parking before its time.
 * @returns the agent as it is then. @throws SignalboxError `agent_not_found`, `illegal_transition`, `log_unavailable`
 */
export async function decideAgent(
  app: AppContext,
  id: AgentId,
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
