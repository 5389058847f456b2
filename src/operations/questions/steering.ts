/** Messages of users to the agents of tasks. */
import { steerSchema } from '../../contracts/api/requests.ts';
import { steeringAnswerSchema, steeringListSchema } from '../../contracts/api/steering.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { TASK, taskParams } from '../params.ts';

export const steerTask = operation({
  name: 'steerTask',
  group: 'Decisions',
  summary:
    'Send a message to the agent of a task: at once if it can take it, else with its next answer or prompt',
  access: 'operate',
  http: { method: 'POST', path: `${TASK}/steer` },
  input: { ...NO_INPUT, params: taskParams, body: steerSchema },
  example: { by: 'ann', text: 'Use the new parser, and leave the old one alone.' },
  answers: { 201: json(steeringAnswerSchema, 'The message.') },
  errors: [...COMMITS, 'task_not_found', 'too_many_messages'],
  handle: ({ steering }, { params, body, caller }) => steering.send(params, body, caller.actor),
});

export const listSteering = operation({
  name: 'listSteering',
  group: 'Decisions',
  summary: 'List the messages to the agents of a task, and how each was delivered',
  access: 'read',
  http: { method: 'GET', path: `${TASK}/steer` },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(steeringListSchema, 'The messages, oldest first.') },
  errors: ['task_not_found'],
  handle: async ({ steering }, { params }) => ({ messages: await steering.list(params) }),
});

export const takeSteering = operation({
  name: 'takeSteering',
  group: 'Attempts',
  summary: 'Take the messages of users to the agent of this attempt: they then count as delivered',
  access: 'speak',
  http: { method: 'POST', path: `${TASK}/steer/take` },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(steeringListSchema, 'The messages that were not delivered yet, oldest first.') },
  handle: ({ steering }, { params, caller }) => ({ messages: steering.take(params, caller.token) }),
});
