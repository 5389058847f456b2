/** What agents have used. */
import { readUsageSchema, usageAnswerSchema } from '../../contracts/api/usage/usage.ts';
import { json, NO_INPUT, operation } from '../operation.ts';

export const readUsage = operation({
  name: 'readUsage',
  group: 'Usage',
  summary:
    'Read the tokens and the cost of ended attempts, by day, project, agent, model or task, now or in the past',
  access: 'read',
  http: { method: 'GET', path: '/api/usage' },
  input: { ...NO_INPUT, query: readUsageSchema },
  answers: {
    200: json(
      usageAnswerSchema,
      'The sums; "attempts_without_cost" says for how many attempts the cost is not known.',
    ),
  },
  errors: ['no_such_moment', 'past_pending'],
  handle: ({ usage }, { query, gone }) => usage.read(query, gone()),
});
