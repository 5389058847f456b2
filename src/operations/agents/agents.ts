/** The agents, an operator's decisions about them, and their refused messages. */
import { agentAnswerSchema, agentListSchema, rejectedListSchema } from '../../contracts/api/answers.ts';
import { decisionSchema, listRejectedSchema } from '../../contracts/api/requests.ts';
import { COMMITS } from '../errors.ts';
import { ETAG, IF_NONE_MATCH, NOT_MODIFIED, tagged } from '../headers.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { agentParams } from '../params.ts';

const AGENT = '/api/agents/{agent}';

export const listAgents = operation({
  name: 'listAgents',
  group: 'Agents',
  summary: 'List the configured agents, with their slots',
  access: 'read',
  http: { method: 'GET', path: '/api/agents' },
  input: NO_INPUT,
  headers: IF_NONE_MATCH,
  answers: { 200: json(agentListSchema, 'The agents.', ETAG), 304: NOT_MODIFIED },
  handle: ({ agents, system }, { headers }) =>
    tagged(system.etag(), headers, () => ({ agents: agents.list() })),
});

export const readAgent = operation({
  name: 'readAgent',
  group: 'Agents',
  summary: 'Read an agent, and what it is doing',
  access: 'read',
  http: { method: 'GET', path: AGENT },
  input: { ...NO_INPUT, params: agentParams },
  answers: { 200: json(agentAnswerSchema, 'The agent.') },
  errors: ['agent_not_found'],
  handle: ({ agents }, { params }) => agents.read(params.agent),
});

const decision = {
  group: 'Agents',
  access: 'operate',
  input: { ...NO_INPUT, params: agentParams, body: decisionSchema },
  example: { by: 'ann', comment: 'maintenance' },
  answers: { 200: json(agentAnswerSchema, 'The agent after the decision.') },
  errors: [...COMMITS, 'agent_not_found'],
} as const;

export const pauseAgent = operation({
  ...decision,
  name: 'pauseAgent',
  summary: 'Pause an agent: it takes no new tasks until it is resumed',
  http: { method: 'POST', path: `${AGENT}/pause` },
  handle: ({ agents }, { params, body, caller }) => agents.decide(params.agent, 'pause', body, caller.actor),
});

export const drainAgent = operation({
  ...decision,
  name: 'drainAgent',
  summary: 'Drain an agent: it finishes what it runs and takes no new tasks',
  http: { method: 'POST', path: `${AGENT}/drain` },
  handle: ({ agents }, { params, body, caller }) => agents.decide(params.agent, 'drain', body, caller.actor),
});

export const resumeAgent = operation({
  ...decision,
  name: 'resumeAgent',
  summary: 'Resume a paused, drained or parked agent: it takes tasks again',
  http: { method: 'POST', path: `${AGENT}/resume` },
  handle: ({ agents }, { params, body, caller }) => agents.decide(params.agent, 'resume', body, caller.actor),
});

export const listRejectedMessages = operation({
  name: 'listRejectedMessages',
  group: 'Agents',
  summary: 'List rejected messages of agents over NATS, newest first',
  access: 'read',
  http: { method: 'GET', path: '/api/rejected-messages' },
  input: { ...NO_INPUT, query: listRejectedSchema },
  answers: { 200: json(rejectedListSchema, 'The messages, each with the reason.') },
  handle: async ({ rejected }, { query: { agent = null, limit } }) => ({
    rejected_messages: await rejected(agent, limit),
  }),
});
