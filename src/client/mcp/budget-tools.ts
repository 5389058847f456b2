/** The tool about budgets, for an agent that plans work. */
import { z } from 'zod';
import { addTool, type McpSession, READS, type Tools } from './session.ts';

export function addBudgetTools(tools: Tools, { client }: McpSession): void {
  addTool(tools, 'budget_list', {
    title: 'List budgets',
    description:
      'Lists the budgets for a day, a week or a month: their limits, what is used of each, until when, and whether it holds back attempts. Sums are "at least" if attempts_without_cost or attempts_without_tokens is not 0.',
    input: z.strictObject({}),
    annotations: READS,
    run: () => client.listBudgets({}),
  });
}
