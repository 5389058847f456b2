import type { Command } from 'commander';
import type { DeadLetter } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { numberOf } from '../arguments.ts';
import { clientOf } from '../client-options.ts';
import { withExamples } from '../help.ts';
import { styleOfState } from '../task/state-style.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { type FilterOptions, filterOf, withFilterOptions } from './filter.ts';

interface ListOptions extends FilterOptions {
  readonly limit: number;
}

/** The most that one page of the API has. */
const PAGE_SIZE = 1_000;
const LIMIT = 100;

export function addDlqLs(dlq: Command, terminal: Terminal): void {
  const command = withFilterOptions(dlq.command('ls'))
    .summary('list dead letters')
    .description(
      'Lists the tasks that used up their attempts or expired, the oldest first, with the last error.',
    )
    .option('--limit <number>', 'how many at most', numberOf, LIMIT)
    .action((options: ListOptions) => list(terminal, options));
  withExamples(command, [
    ['What was given up', 'signalbox dlq ls'],
    ['In all projects, of one agent', 'signalbox dlq ls --all-projects --agent writer'],
  ]);
}

async function list(terminal: Terminal, options: ListOptions): Promise<void> {
  const { limit, json } = options;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new SignalboxError('invalid_request', '--limit: expected a whole number of at least 1');
  }
  const client = clientOf(options);
  const letters: DeadLetter[] = [];
  let after: number | null = 0;
  while (after !== null && letters.length < limit) {
    const room = Math.min(PAGE_SIZE, limit - letters.length);
    const page = await client.listDeadLetters({ ...filterOf(options), after, limit: room });
    letters.push(...page.dead_letters);
    after = page.next;
  }
  if (json) terminal.print(JSON.stringify(letters, null, 2));
  else if (letters.length === 0) terminal.note('no dead letters');
  else for (const line of tableLines(terminal, columnsOf(options, Date.now()), letters)) terminal.print(line);
  if (!json && after !== null)
    terminal.note(`there are more than ${letters.length}: ask for them with --limit`);
}

function columnsOf({ allProjects }: ListOptions, now: number): Column<DeadLetter>[] {
  const project: Column<DeadLetter> = { title: 'PROJECT', text: (letter) => letter.project };
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    ...(allProjects ? [project] : []),
    { title: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOfState(status) },
    { title: 'AGENT', text: (letter) => letter.claimed_by ?? letter.agent ?? `(${letter.type})` },
    { title: 'TRIES', text: ({ attempt }) => attempt, align: 'right' },
    {
      title: 'SINCE',
      text: (letter) => ageText(letter.finished_at ?? letter.updated_at, now),
      align: 'right',
    },
    { title: 'TITLE', text: ({ title }) => title },
    { title: 'LAST ERROR', text: (letter) => letter.last_error ?? '' },
  ];
}
