import { type Command, Option } from 'commander';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { TASK_STATES } from '../../contracts/tasks.ts';
import { numberOf, wordsOf } from '../arguments.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { styleOfState } from './state-style.ts';

interface ListOptions extends ClientOptions {
  readonly status?: readonly string[];
  readonly state?: readonly string[];
  readonly agent?: string;
  readonly limit: number;
  readonly allProjects?: true;
}

/** The most that one page of the API has. */
const PAGE_SIZE = 1_000;
const LIMIT = 100;

export function addTaskLs(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('ls'))
    .summary('list tasks')
    .description('Lists the tasks of a project, the oldest first.')
    .option(
      '--status <list>',
      `only tasks with one of these, separated by commas: ${TASK_STATES.join(', ')}`,
      wordsOf,
    )
    .addOption(new Option('--state <list>', 'the same as --status').argParser(wordsOf).hideHelp())
    .option('--agent <id>', 'only tasks of this agent')
    .option('--limit <number>', 'how many at most', numberOf, LIMIT)
    .addOption(new Option('--all-projects', 'the tasks of all projects'))
    .action((options: ListOptions) => list(terminal, options));
  withExamples(command, [
    ['What waits for me', 'signalbox task ls --status review,blocked'],
    [
      'The ids of everything that failed, for a script',
      'signalbox task ls --status failed --json | jq -r ".[].id"',
    ],
  ]);
}

async function list(terminal: Terminal, options: ListOptions): Promise<void> {
  if (!Number.isInteger(options.limit) || options.limit < 1) {
    throw new SignalboxError('invalid_request', '--limit: expected a whole number of at least 1');
  }
  const { tasks, isAll } = await collect(clientOf(options), options);
  if (options.json) {
    terminal.print(JSON.stringify(tasks, null, 2));
    return;
  }
  if (tasks.length === 0) {
    terminal.note('no tasks');
    return;
  }
  for (const line of tableLines(terminal, taskColumns(options, Date.now()), tasks)) terminal.print(line);
  if (!isAll) terminal.note(`there are more than ${tasks.length}: ask for them with --limit`);
}

async function collect(
  client: SignalboxClient,
  { project, state, status = state, agent, limit, allProjects }: ListOptions,
): Promise<{ tasks: TaskAnswer[]; isAll: boolean }> {
  const filter = {
    // An unknown word is refused by Signalbox, with the list of those that it knows.
    ...(status === undefined ? {} : { status }),
    ...(agent === undefined ? {} : { agent }),
  };
  const tasks: TaskAnswer[] = [];
  for (let after = 0; ; ) {
    const query = { ...filter, after, limit: Math.min(PAGE_SIZE, limit - tasks.length) };
    const page = await (allProjects ? client.listAllTasks(query) : client.listTasks({ project, ...query }));
    tasks.push(...page.tasks);
    if (page.next === null) return { tasks, isAll: true };
    if (tasks.length >= limit) return { tasks, isAll: false };
    after = page.next;
  }
}

/** @param now epoch milliseconds, to which the ages are told */
export function taskColumns(
  { allProjects }: { readonly allProjects?: boolean | undefined },
  now: number,
): Column<TaskAnswer>[] {
  const project: Column<TaskAnswer> = { title: 'PROJECT', text: (task) => task.project };
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    ...(allProjects ? [project] : []),
    { title: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOfState(status) },
    { title: 'AGENT', text: (task) => task.claimed_by ?? task.agent ?? `(${task.type})` },
    { title: 'PRIO', text: ({ priority }) => priority, align: 'right' },
    { title: 'TRY', text: (task) => `${task.attempt}/${task.max_attempts}`, align: 'right' },
    { title: 'AGE', text: (task) => ageText(task.created_at, now), align: 'right' },
    { title: 'TITLE', text: ({ title }) => title },
  ];
}
