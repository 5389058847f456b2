/** `signalbox dlq`: tasks that used up their attempts, or expired. */
import { type Command, Option } from 'commander';
import { printable } from '../../base/text/printable.ts';
import type { DeadLetter, RedriveAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { CompletedArgument, DEAD_STATUSES, numberOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { byOf, type ClientOptions, clientOf, type DecisionOptions, withBy, withProject } from '../options.ts';
import {
  assertAgent,
  collectPages,
  countText,
  printJson,
  printLines,
  printList,
  scopeText,
} from '../output.ts';
import { styleOfTask } from '../task/styles.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';

type DeadStatus = (typeof DEAD_STATUSES)[number];

/** The dead letters that a command is about. */
interface FilterOptions extends ClientOptions {
  readonly agent?: string;
  readonly status?: DeadStatus;
  readonly state?: DeadStatus;
  readonly allProjects?: true;
}

const LIMIT = 100;

function withFilter(command: Command): Command {
  return withProject(command)
    .option('--agent <id>', 'only tasks of this agent')
    .addOption(new Option('--status <status>', 'only tasks with this status').choices(DEAD_STATUSES))
    .addOption(new Option('--state <status>', 'the same as --status').choices(DEAD_STATUSES).hideHelp())
    .option('--all-projects', 'tasks of all projects');
}

function filterOf({ project, agent, state, status = state, allProjects }: FilterOptions) {
  return {
    ...(allProjects ? {} : { project }),
    ...(agent === undefined ? {} : { agent }),
    ...(status === undefined ? {} : { status }),
  };
}

const ls: CommandRow = {
  name: 'ls',
  summary: 'list dead letters',
  description: 'Lists tasks that used up their attempts or expired, oldest first, with their last error.',
  examples: [
    ['List dead letters of a project', 'signalbox dlq ls --project demo'],
    ['List those of one agent in all projects', 'signalbox dlq ls --all-projects --agent writer'],
  ],
  add: (command, terminal) =>
    withFilter(command)
      .option('--limit <number>', 'list at most this many', numberOf, LIMIT)
      .action(async (options: FilterOptions & { readonly limit: number }) => {
        const client = clientOf(options);
        const { rows, isAll } = await collectPages(options.limit, async (page) => {
          const { dead_letters: letters, next } = await client.listDeadLetters({
            ...filterOf(options),
            ...page,
          });
          return { rows: letters, next };
        });
        const columns = (now: number) => letterColumns(options, now);
        const empty = `no dead letters${scopeText(options)}`;
        if (rows.length === 0) await assertAgent(client, options.agent);
        printList(terminal, options, { rows, columns, empty });
        if (!options.json && !isAll) terminal.note(`more than ${rows.length} dead letters: raise --limit`);
      }),
};

function letterColumns({ allProjects }: FilterOptions, now: number): readonly Column<DeadLetter>[] {
  const project: Column<DeadLetter> = { title: 'PROJECT', text: (letter) => letter.project };
  const sinceOf = (letter: DeadLetter): string => letter.finished_at ?? letter.updated_at;
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    ...(allProjects ? [project] : []),
    { title: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOfTask(status) },
    { title: 'AGENT', text: (letter) => letter.claimed_by ?? letter.agent ?? `(${letter.type})` },
    { title: 'TRIES', text: ({ attempt }) => attempt, align: 'right' },
    { title: 'SINCE', text: (letter) => ageText(sinceOf(letter), now), align: 'right' },
    { title: 'TITLE', text: ({ title }) => title },
    { title: 'LAST ERROR', text: (letter) => letter.last_error ?? '' },
  ];
}

interface RedriveOptions extends FilterOptions, DecisionOptions {
  readonly all?: true;
  readonly dryRun?: true;
}

const redrive: CommandRow = {
  name: 'redrive',
  summary: 'give dead letters new attempts',
  description:
    'Sets dead letters back to pending, each with as many new attempts as before: the tasks given, or with --all every ' +
    'task that matches the options. A task that cannot be redriven is reported and left unchanged.',
  examples: [
    [
      'Redrive two tasks',
      'signalbox dlq redrive k3v9x2m1q8zt m8c0d7w5x2ya --comment "the disk is free again"',
    ],
    ['Show which tasks would be redriven', 'signalbox dlq redrive --all --agent writer --dry-run'],
  ],
  add: (command, terminal) => {
    const dead = { kind: 'tasks', statuses: DEAD_STATUSES } as const;
    const withChoice = withFilter(command)
      .addArgument(new CompletedArgument('[ids...]', 'tasks of the project', dead))
      .option('--all', 'all tasks of the project, or of all projects with --all-projects')
      .option('--dry-run', 'show what would be redriven, and change nothing')
      .option('--comment <text>', 'what has changed; the next attempt gets it');
    withBy(withChoice).action(async (ids: string[], options: RedriveOptions) => {
      const outcome = await redriveAll(ids, options);
      if (options.json) printJson(terminal, outcome);
      else report(terminal, outcome);
      if (outcome.errors.length > 0) terminal.exitCode = EXIT_CODES.failure.code;
    });
  },
};

type Outcome = Omit<RedriveAnswer, 'next'>;

/** @throws SignalboxError `invalid_request` unless either ids of one project or --all is given */
async function redriveAll(ids: readonly string[], options: RedriveOptions): Promise<Outcome> {
  const { all, allProjects, comment, dryRun } = options;
  if (ids.length > 0 === (all === true) || (ids.length > 0 && allProjects)) {
    throw new SignalboxError('invalid_request', 'give the ids of tasks of one project, or --all');
  }
  const request = {
    ...filterOf(options),
    ...(ids.length > 0 ? { ids: [...ids] } : { all: true as const }),
    ...(comment === undefined ? {} : { comment }),
    ...byOf(options),
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

function report(terminal: Terminal, { dry_run: isDry, redriven, errors }: Outcome): void {
  for (const { id, detail } of errors) terminal.note(`signalbox: ${id} is unchanged: ${printable(detail)}`);
  if (redriven.length > 0) printLines(terminal, tableLines(terminal, REDRIVEN, redriven));
  terminal.note(`${countText(redriven.length, 'task')} ${isDry ? 'would be redriven' : 'redriven'}`);
}

const REDRIVEN: readonly Column<RedriveAnswer['redriven'][number]>[] = [
  { title: 'ID', text: ({ id }) => id, isName: true },
  { title: 'PROJECT', text: ({ project }) => project },
  { title: 'WAS', text: ({ status }) => status },
  { title: 'TRIES', text: ({ attempt }) => attempt, align: 'right' },
  { title: 'TITLE', text: ({ title }) => title },
  { title: 'LAST ERROR', text: (task) => task.last_error ?? '' },
];

export const dlq: CommandRow = {
  name: 'dlq',
  summary: 'list dead letters; redrive them',
  description: 'Lists and redrives dead letters: tasks that used up their attempts, or expired.',
  examples: [
    ['List dead letters', 'signalbox dlq ls'],
    ['Show which tasks would be redriven', 'signalbox dlq redrive --all --dry-run'],
  ],
  commands: [ls, redrive],
};
