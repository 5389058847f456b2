/** `signalbox budget`: what agents may use in a day, a week or a month. */
import { InvalidArgumentError } from 'commander';
import { decimalNumber } from '../../base/plain-number.ts';
import type { BudgetAnswer } from '../../contracts/api/usage/budgets.ts';
import { budgetUseText, scopeText } from '../../contracts/budgets/budget-text.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { CompletedArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import {
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withDecision,
  withServer,
} from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { timeText } from '../text/time.ts';

const ls: CommandRow = {
  name: 'ls',
  summary: 'list budgets',
  description: 'Lists the budgets of the configuration, with what is used of each in its period.',
  examples: [['List all budgets', 'signalbox budget ls']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { budgets: rows } = await clientOf(options).listBudgets();
      printList(terminal, options, { rows, columns: () => COLUMNS, empty: 'no budgets' });
    }),
};

const COLUMNS: readonly Column<BudgetAnswer>[] = [
  { title: 'ID', text: ({ id }) => id, isName: true },
  {
    title: 'FOR',
    text: ({ agent, project }) => scopeText({ agent: agent ?? undefined, project: project ?? undefined }),
  },
  { title: 'PERIOD', text: ({ period, zone }) => `${period} (${zone})` },
  {
    title: 'STATUS',
    text: ({ status, raised_by }) => (raised_by === null ? status : `${status}, raised by ${raised_by}`),
    style: ({ status }) => (status === 'exhausted' ? 'red' : status === 'warned' ? 'yellow' : null),
  },
  { title: 'USED', text: budgetUseText },
  { title: 'UNTIL', text: ({ until, zone }) => timeText(until, zone) },
];

interface RaiseOptions extends ServerOptions, DecisionOptions {
  readonly tokens?: number;
  readonly cost?: number;
  readonly attempts?: number;
}

const raise: CommandRow = {
  name: 'raise',
  summary: 'raise a budget until its period ends',
  description:
    'Raises limits of a budget until its period ends: attempts that it held back start at once. To raise it for good, change ' +
    'the configuration.',
  examples: [
    ['Let agents go on today', 'signalbox budget raise daily --tokens 50000 --comment "release day"'],
  ],
  add: (command, terminal) =>
    withDecision(withServer(command))
      .addArgument(new CompletedArgument('<id>', 'the budget', { kind: 'budgets' }))
      .option('--tokens <number>', 'the new limit of tokens', amountOf)
      .option('--cost <usd>', 'the new limit in US dollars', amountOf)
      .option('--attempts <number>', 'the new limit of attempts', amountOf)
      .action(async (id: string, options: RaiseOptions) => {
        const { tokens, cost: cost_usd, attempts } = options;
        if (tokens === undefined && cost_usd === undefined && attempts === undefined)
          throw new SignalboxError('invalid_request', 'give at least one of --tokens, --cost and --attempts');
        const input = { budget: id, tokens, cost_usd, attempts, ...decisionOf(options) };
        const answer = await clientOf(options).raiseBudget(input);
        printAnswer(
          terminal,
          options,
          answer,
          (budget) => `budget ${id} is ${budget.status}: ${budgetUseText(budget)}`,
        );
      }),
};

function amountOf(text: string): number {
  const amount = decimalNumber(text);
  if (amount !== null && amount > 0) return amount;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export const budget: CommandRow = {
  name: 'budget',
  summary: 'list budgets for a day, a week or a month; raise one',
  description:
    'Lists and raises the budgets of the configuration ("budgets"): what agents may use in a day, a week or a month. At its ' +
    'limit a budget holds back attempts until the period ends.',
  examples: [
    ['List all budgets', 'signalbox budget ls'],
    ['Raise one', 'signalbox budget raise daily --tokens 50000'],
  ],
  commands: [ls, raise],
};
