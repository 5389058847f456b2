/** The agents, and what an operator decides about them. */

import { AGENT_DECISIONS, type AgentDecision, decideAgent } from '../../app/agents/decide-agent.ts';
import { listAgents, readAgent } from '../../app/agents/read-agents.ts';
import type { AppContext } from '../../app/context.ts';
import { agentAnswerSchema, agentListSchema } from '../../contracts/api/answers.ts';
import { decisionSchema } from '../../contracts/api/requests.ts';
import { agentId } from '../../contracts/ids.ts';
import { logTag, tagged } from '../answers/entity-tag.ts';
import {
  ETAG,
  IF_NONE_MATCH,
  json,
  NOT_MODIFIED,
  nothing,
  nowhere,
  type PathParams,
  type Serve,
} from '../operation.ts';
import { COMMITS } from '../refusals.ts';
import { AGENT, AGENTS } from './paths.ts';

const atAgent = (params: PathParams) => agentId(params.agent ?? '');

const SUMMARIES: Readonly<Record<AgentDecision, string>> = {
  pause: 'Let an agent take no new tasks until it is resumed',
  drain: 'The same for good: what it runs goes on, and then it is free',
  resume: 'Let an agent take tasks again; also ends a parking before its time',
};

export function serveAgents(serve: Serve, app: AppContext): void {
  serve({
    name: 'listAgents',
    group: 'Agents',
    summary: 'The configured agents, with their slots',
    access: 'read',
    method: 'GET',
    path: AGENTS,
    address: nowhere,
    query: nothing,
    body: nothing,
    headers: IF_NONE_MATCH,
    answers: { 200: json(agentListSchema, 'The agents.', ETAG), 304: NOT_MODIFIED },
    handle: async ({ headers }) => tagged(logTag(app), headers, () => ({ agents: listAgents(app) })),
  });
  serve({
    name: 'readAgent',
    group: 'Agents',
    summary: 'One agent, and what it is doing',
    access: 'read',
    method: 'GET',
    path: AGENT,
    address: atAgent,
    query: nothing,
    body: nothing,
    answers: { 200: json(agentAnswerSchema, 'The agent.') },
    refusals: ['agent_not_found'],
    handle: async ({ address }) => ({ status: 200, body: readAgent(app, address) }),
  });
  for (const decision of AGENT_DECISIONS) {
    serve({
      name: `${decision}Agent`,
      group: 'Agents',
      summary: SUMMARIES[decision],
      access: 'operate',
      method: 'POST',
      path: `${AGENT}/${decision}`,
      address: atAgent,
      query: nothing,
      body: decisionSchema,
      example: { by: 'ann', comment: 'maintenance' },
      answers: { 200: json(agentAnswerSchema, 'The agent as it is then.') },
      refusals: [...COMMITS, 'agent_not_found'],
      handle: async ({ address, body, caller }) => ({
        status: 200,
        body: await decideAgent(app, address, decision, body, caller.actor),
      }),
    });
  }
}
