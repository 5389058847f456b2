/** Questions of agents, their answers, and the rules about permissions that answers recorded. */
import {
  answerQuestionSchema,
  askQuestionSchema,
  listQuestionsSchema,
  questionAnswerSchema,
  questionListSchema,
  readQuestionSchema,
  ruleListSchema,
} from '../../contracts/api/questions.ts';
import { attributionSchema, decisionSchema } from '../../contracts/api/requests.ts';
import { COMMITS } from '../errors.ts';
import { waitMs } from '../headers.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { agentParams, QUESTION, questionParams, ruleParams, TASK, taskParams } from '../params.ts';

export const askQuestion = operation({
  name: 'askQuestion',
  group: 'Questions',
  summary: 'Ask a question as an attempt: its time does not count until the answer',
  access: 'speak',
  http: { method: 'POST', path: `${TASK}/questions` },
  input: { ...NO_INPUT, params: taskParams, body: askQuestionSchema },
  example: { message: 'Delete the old releases?', options: ['yes', 'no'], expires_in_seconds: 3_600 },
  answers: { 201: json(questionAnswerSchema, 'The question. Read it with "wait" to wait for the answer.') },
  errors: [
    ...COMMITS,
    'task_not_found',
    'stale_attempt',
    'question_exists',
    'question_too_large',
    'too_many_questions',
  ],
  isIdempotent: ({ id }) => id !== undefined,
  handle: ({ questions }, { params, body, caller }) => questions.ask(params, body, caller.token),
});

export const listTaskQuestions = operation({
  name: 'listTaskQuestions',
  group: 'Questions',
  summary: 'List the questions of a task with their answers, oldest first',
  access: 'read',
  http: { method: 'GET', path: `${TASK}/questions` },
  input: { ...NO_INPUT, params: taskParams },
  answers: { 200: json(questionListSchema, 'The questions.') },
  errors: ['task_not_found'],
  handle: async ({ questions }, { params }) => ({ questions: await questions.listOfTask(params) }),
});

export const listQuestions = operation({
  name: 'listQuestions',
  group: 'Questions',
  summary: 'List the open questions of all agents, oldest first',
  access: 'read',
  http: { method: 'GET', path: '/api/questions' },
  isProjectInQuery: true,
  input: { ...NO_INPUT, query: listQuestionsSchema },
  answers: { 200: json(questionListSchema, 'The open questions.') },
  handle: ({ questions }, { query }) => ({ questions: questions.list(query) }),
});

export const readQuestion = operation({
  name: 'readQuestion',
  group: 'Questions',
  summary: 'Read a question; "wait" waits for its answer',
  access: 'read',
  http: { method: 'GET', path: QUESTION },
  input: { ...NO_INPUT, params: questionParams, query: readQuestionSchema },
  answers: { 200: json(questionAnswerSchema, 'The question, with its answer if it has one.') },
  errors: ['task_not_found', 'question_not_found'],
  waitMs,
  handle: ({ questions }, { params, query, gone, caller }) =>
    questions.read(params, { waitMs: waitMs(query), gone: gone(), reader: caller.attempt }),
});

export const answerQuestion = operation({
  name: 'answerQuestion',
  group: 'Questions',
  summary: 'Answer a question; the first answer counts',
  access: 'decide',
  http: { method: 'POST', path: `${QUESTION}/answer` },
  input: { ...NO_INPUT, params: questionParams, body: answerQuestionSchema },
  example: { by: 'ann', option: 'yes', comment: 'all but the newest' },
  answers: { 200: json(questionAnswerSchema, 'The question with its answer.') },
  errors: [
    ...COMMITS,
    'task_not_found',
    'question_not_found',
    'question_answered',
    'option_not_offered',
    'answer_invalid',
    'answer_too_large',
    'own_question',
    'stale_attempt',
  ],
  handle: ({ questions }, { params, body, caller }) => questions.answer(params, body, caller),
});

export const withdrawQuestion = operation({
  name: 'withdrawQuestion',
  group: 'Questions',
  summary:
    'Withdraw a question that needs no answer any more, as the attempt that asked it or as an operator',
  access: 'decide',
  http: { method: 'POST', path: `${QUESTION}/withdraw` },
  input: { ...NO_INPUT, params: questionParams, body: decisionSchema },
  example: { by: 'ann', comment: 'the release was called off' },
  answers: { 200: json(questionAnswerSchema, 'The question, answered as cancelled.') },
  errors: [...COMMITS, 'task_not_found', 'question_not_found', 'question_answered', 'stale_attempt'],
  handle: ({ questions }, { params, body, caller }) => questions.withdraw(params, body, caller),
});

export const listRules = operation({
  name: 'listRules',
  group: 'Questions',
  summary: 'List the rules that decide about permissions of an agent, in the order in which they are tried',
  access: 'read',
  http: { method: 'GET', path: '/api/agents/{agent}/rules' },
  input: { ...NO_INPUT, params: agentParams },
  answers: { 200: json(ruleListSchema, 'The rules, and what applies if none matches.') },
  errors: ['agent_not_found'],
  handle: ({ questions }, { params }) => questions.listRules(params.agent),
});

export const revokeRule = operation({
  name: 'revokeRule',
  group: 'Questions',
  summary: 'Revoke a rule that an answer recorded: the next question like it is asked again',
  access: 'operate',
  http: { method: 'POST', path: '/api/agents/{agent}/rules/{rule}/revoke' },
  input: { ...NO_INPUT, params: ruleParams, body: attributionSchema },
  example: { by: 'ann' },
  answers: { 200: json(ruleListSchema, 'The rules that are left.') },
  errors: [...COMMITS, 'agent_not_found', 'rule_not_found'],
  handle: ({ questions }, { params, body, caller }) => questions.revokeRule(params, body, caller.actor),
});
