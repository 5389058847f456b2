/** The agents, and what an operator decides about them. */
import type { AppContext } from '../../app/context.ts';
import { AGENT_DECISIONS, decideAgent } from '../../app/decide-agent.ts';
import { listAgents, readAgent } from '../../app/read-agents.ts';
import { agentId } from '../../contracts/ids.ts';
import { decisionSchema } from '../../contracts/requests.ts';
import { operatorOf } from '../credentials.ts';
import { nothing, nowhere, type PathParams, type Serve } from '../operation.ts';
import { AGENT, AGENTS } from './paths.ts';

const atAgent = (params: PathParams) => agentId(params.agent ?? '');

export function serveAgents(serve: Serve, app: AppContext): void {
  serve({
    method: 'GET',
    path: AGENTS,
    address: nowhere,
    query: nothing,
    body: nothing,
    handle: async () => ({ status: 200, body: { agents: listAgents(app) } }),
  });
  serve({
    method: 'GET',
    path: AGENT,
    address: atAgent,
    query: nothing,
    body: nothing,
    handle: async ({ address }) => ({ status: 200, body: readAgent(app, address) }),
  });
  for (const decision of AGENT_DECISIONS) {
    serve({
      method: 'POST',
      path: `${AGENT}/${decision}`,
      address: atAgent,
      query: nothing,
      body: decisionSchema,
      handle: async ({ address, body, headers }) => {
        const actor = operatorOf(headers.authorization);
        return { status: 200, body: await decideAgent(app, address, decision, body, actor) };
      },
    });
  }
}
