/** Budgets for a period. */
import {
  budgetAnswerSchema,
  budgetListSchema,
  raiseBudgetSchema,
} from '../../contracts/api/usage/budgets.ts';
import { COMMITS } from '../errors.ts';
import { json, NO_INPUT, operation } from '../operation.ts';
import { budgetParams } from '../params.ts';

export const listBudgets = operation({
  name: 'listBudgets',
  group: 'Usage',
  summary: 'List the budgets for a period, with what is used of each',
  access: 'read',
  http: { method: 'GET', path: '/api/budgets' },
  input: NO_INPUT,
  answers: { 200: json(budgetListSchema, 'The budgets, in the order of their creation.') },
  handle: ({ budgets }) => ({ budgets: budgets.list() }),
});

export const raiseBudget = operation({
  name: 'raiseBudget',
  group: 'Usage',
  summary: 'Raise limits of a budget until its period ends: attempts start again at once',
  access: 'operate',
  http: { method: 'POST', path: '/api/budgets/{budget}/raise' },
  input: { ...NO_INPUT, params: budgetParams, body: raiseBudgetSchema },
  example: { tokens: 50_000, by: 'ann', comment: 'the release is today' },
  answers: { 200: json(budgetAnswerSchema, 'The budget.') },
  errors: [...COMMITS, 'budget_not_found'],
  handle: ({ budgets }, { params, body, caller }) => budgets.raise(params.budget, body, caller.actor),
});
