import type { Command } from 'commander';
import type { RedriveAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { clientOf, userName } from '../client-options.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';
import { type Column, tableLines } from '../text/table.ts';
import { type FilterOptions, filterOf, withFilterOptions } from './filter.ts';

interface RedriveOptions extends FilterOptions {
  readonly all?: true;
  readonly dryRun?: true;
  readonly comment?: string;
  readonly by: string;
}

export function addDlqRedrive(dlq: Command, terminal: Terminal): void {
  const command = withFilterOptions(dlq.command('redrive'))
    .summary('give dead letters fresh attempts')
    .description(
      'Puts dead letters back to pending, each with as many attempts again as it had: those that are named, or with --all ' +
        'those that the other options leave. Each is redriven or stays as it is.',
    )
    .argument('[ids...]', 'tasks of the project')
    .option('--all', 'all of the project, or of all with --all-projects')
    .option('--dry-run', 'only say which it would be')
    .option('--comment <text>', 'what is different now, for the next attempt')
    .option('--by <name>', 'who decides', userName())
    .action((ids: string[], options: RedriveOptions) => redrive(terminal, ids, options));
  withExamples(command, [
    ['Two of them', 'signalbox dlq redrive k3v9x2m1q8zt m8c0d7w5x2ya --comment "the disk is free again"'],
    ['Which would it be?', 'signalbox dlq redrive --all --agent writer --dry-run'],
  ]);
}

type Outcome = Omit<RedriveAnswer, 'next'>;

async function redrive(terminal: Terminal, ids: readonly string[], options: RedriveOptions): Promise<void> {
  const outcome = await ask(ids, options);
  if (options.json) terminal.print(JSON.stringify(outcome, null, 2));
  else show(terminal, outcome);
  if (outcome.errors.length > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

/** @throws SignalboxError `invalid_request` where nothing, or both ids and --all, are given */
async function ask(ids: readonly string[], options: RedriveOptions): Promise<Outcome> {
  const { all, allProjects, by, comment, dryRun } = options;
  if (ids.length > 0 === (all === true) || (ids.length > 0 && allProjects)) {
    throw new SignalboxError('invalid_request', 'name the tasks of one project, or say --all');
  }
  const request = {
    ...filterOf(options),
    ...(ids.length > 0 ? { ids: [...ids] } : { all: true as const }),
    ...(comment === undefined ? {} : { comment }),
    by,
    dry_run: dryRun === true,
  };
  const client = clientOf(options);
  const outcome: Outcome = { dry_run: request.dry_run, redriven: [], errors: [] };
  for (let after: number | null = 0; after !== null; ) {
    const part: RedriveAnswer = await client.redriveDeadLetters({ ...request, after });
    outcome.redriven.push(...part.redriven);
    outcome.errors.push(...part.errors);
    after = part.next;
  }
  return outcome;
}

function show(terminal: Terminal, { dry_run: isDry, redriven, errors }: Outcome): void {
  for (const { id, detail } of errors)
    terminal.note(`signalbox: ${id} is left as it is: ${printable(detail)}`);
  if (redriven.length > 0) for (const line of tableLines(terminal, COLUMNS, redriven)) terminal.print(line);
  const count = `${redriven.length} ${redriven.length === 1 ? 'task' : 'tasks'}`;
  terminal.note(isDry ? `${count} would be redriven` : `${count} redriven`);
}

const COLUMNS: readonly Column<RedriveAnswer['redriven'][number]>[] = [
  { title: 'ID', text: ({ id }) => id, isName: true },
  { title: 'PROJECT', text: ({ project }) => project },
  { title: 'WAS', text: ({ status }) => status },
  { title: 'TRIES', text: ({ attempt }) => attempt, align: 'right' },
  { title: 'TITLE', text: ({ title }) => title },
  { title: 'LAST ERROR', text: (task) => task.last_error ?? '' },
];
