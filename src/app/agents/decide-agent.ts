/** Pausing, draining and resuming agents. */

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
 * A paused or draining agent gets no new tasks, and its open attempts go on; draining says that it is to be emptied for
 * good. Both survive restarts. Resuming also ends a parking early.
 * @returns the agent afterwards. @throws SignalboxError `agent_not_found`, `illegal_transition`, `log_unavailable`
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
