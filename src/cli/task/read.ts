/** Lists tasks, shows and explains one, and comments on it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { oneLine } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import type { Expansion } from '../../contracts/api/requests.ts';
import type { WhyAnswer } from '../../contracts/api/why.ts';
import { TASK_STATES } from '../../contracts/tasks.ts';
import { costText } from '../../contracts/usage-text.ts';
import { numberOf, OPEN_STATUSES, taskArgument, wordsOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { noteUnreachable, retryWhileUnreachable } from '../follow.ts';
import { type ClientOptions, clientOf, OWN_NAME, ownName, withProject } from '../options.ts';
import {
  assertAgent,
  type Collected,
  collectPages,
  countText,
  printAnswer,
  printList,
  scopeText,
} from '../output.ts';
import type { Terminal } from '../terminal.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';
import { statusPhrase, styleOfTask } from './styles.ts';
import { taskPage } from './task-page.ts';

interface ListOptions extends ClientOptions {
  readonly status?: readonly string[];
  readonly state?: readonly string[];
  readonly agent?: string;
  readonly type?: string;
  readonly parent?: string;
  readonly label?: string;
  readonly search?: string;
  readonly sort: Sort;
  readonly watch?: true;
  readonly limit: number;
  readonly allProjects?: true;
}

const SORTS = ['oldest', 'newest', 'updated', 'priority'] as const;
type Sort = (typeof SORTS)[number];

const ORDERS: Readonly<Record<Sort, ((a: TaskAnswer, b: TaskAnswer) => number) | null>> = {
  /** The order of the API. */
  oldest: null,
  newest: (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at),
  updated: (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at),
  priority: (a, b) => b.priority - a.priority,
};

/** Milliseconds between two looks of `--watch`. */
const WATCH_MS = 2_000;

const LIMIT = 100;

export const ls: CommandRow = {
  name: 'ls',
  summary: 'list tasks',
  description:
    'Lists the tasks of a project, oldest first. With --watch, prints the list again when it has changed, until Ctrl-C.',
  examples: [
    ['List tasks that wait for a decision', 'signalbox task ls --status review,blocked'],
    [
      'Print the ids of failed tasks, for a script',
      'signalbox task ls --status failed --json | jq -r ".[].id"',
    ],
  ],
  add: (command, terminal) =>
    withProject(command)
      .option(
        '--status <list>',
        `only tasks with one of these, separated by commas: ${TASK_STATES.join(', ')}`,
        wordsOf,
      )
      .addOption(new Option('--state <list>', 'the same as --status').argParser(wordsOf).hideHelp())
      .option('--agent <id>', 'only tasks of this agent')
      .option('--type <id>', 'only tasks of this type')
      .option('--parent <id>', 'only children of this task')
      .option('--label <name=value>', 'only tasks with this label')
      .option(
        '--search <words>',
        'only tasks with all of these words in id, title, description, labels or outputs',
      )
      .addOption(new Option('--sort <order>', 'which tasks come first').choices(SORTS).default('oldest'))
      .option('--watch', 'keep the list up to date')
      .option('--limit <number>', 'list at most this many', numberOf, LIMIT)
      .option('--all-projects', 'tasks of all projects')
      .action((options: ListOptions) =>
        options.watch ? watchList(terminal, options) : list(terminal, options),
      ),
};

async function list(terminal: Terminal, options: ListOptions): Promise<void> {
  printTasks(terminal, options, await collectTasks(clientOf(options), options));
}

async function watchList(terminal: Terminal, options: ListOptions): Promise<void> {
  const client = clientOf(options);
  for (let shown = ''; ; await sleep(WATCH_MS)) {
    const tasks = await retryWhileUnreachable(noteUnreachable(terminal), () => collectTasks(client, options));
    const now = JSON.stringify(tasks.rows);
    if (now === shown) continue;
    if (terminal.isInteractive) terminal.write(CLEAR_SCREEN);
    else if (shown !== '') terminal.print('');
    printTasks(terminal, options, tasks);
    shown = now;
  }
}

const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** Tasks in another order than that of the API are all read, and then the first ones taken. */
async function collectTasks(client: SignalboxClient, options: ListOptions): Promise<Collected<TaskAnswer>> {
  const order = ORDERS[options.sort];
  const { project, limit } = options;
  const filter = filterOf(options);
  const collected = await collectPages(order === null ? limit : Math.max(limit, MAX_SORTED), async (page) => {
    const query = { ...filter, ...page };
    const { tasks, next } = await (options.allProjects
      ? client.listAllTasks(query)
      : client.listTasks({ project, ...query }));
    return { rows: tasks, next };
  });
  if (collected.rows.length === 0) await assertAgent(client, options.agent);
  if (order === null) return collected;
  const rows = collected.rows.toSorted(order);
  return { rows: rows.slice(0, limit), isAll: collected.isAll && rows.length <= limit };
}

/** More tasks than a memory holds by default. */
const MAX_SORTED = 100_000;

function printTasks(terminal: Terminal, options: ListOptions, { rows, isAll }: Collected<TaskAnswer>): void {
  const columns = (now: number) => taskColumns(options, now);
  const isFiltered = Object.keys(filterOf(options)).length > 0;
  const empty = `no ${isFiltered ? 'matching tasks' : 'tasks'}${scopeText(options)}`;
  printList(terminal, options, { rows, columns, empty });
  if (!options.json && !isAll) terminal.note(`more than ${rows.length} tasks: raise --limit`);
}

function filterOf({ state, status = state, agent, type, parent, label, search }: ListOptions) {
  return {
    // Signalbox rejects an unknown word, with the list of those that it knows.
    ...(status === undefined ? {} : { status }),
    ...(agent === undefined ? {} : { agent }),
    ...(type === undefined ? {} : { type }),
    ...(parent === undefined ? {} : { parent }),
    ...(label === undefined ? {} : { label }),
    ...(search === undefined ? {} : { q: search }),
  };
}

/** @param now epoch milliseconds, for ages */
export function taskColumns(
  { allProjects }: { readonly allProjects?: boolean | undefined },
  now: number,
): readonly Column<TaskAnswer>[] {
  const project: Column<TaskAnswer> = { title: 'PROJECT', text: (task) => task.project };
  return [
    { title: 'ID', text: ({ id }) => id, isName: true },
    ...(allProjects ? [project] : []),
    { title: 'STATUS', text: ({ status }) => status, style: ({ status }) => styleOfTask(status) },
    { title: 'AGENT', text: (task) => task.claimed_by ?? task.agent ?? `(${task.type})` },
    { title: 'PRIO', text: ({ priority }) => priority, align: 'right' },
    { title: 'TRY', text: (task) => `${task.attempts_used}/${task.max_attempts}`, align: 'right' },
    { title: 'COST', text: ({ usage }) => (usage === null ? '' : costText(usage)), align: 'right' },
    { title: 'AGE', text: (task) => ageText(task.created_at, now), align: 'right' },
    { title: 'TITLE', text: ({ title }) => title },
  ];
}

interface ShowOptions extends ClientOptions {
  readonly events?: true;
  readonly full?: true;
}

export const show: CommandRow = {
  name: 'show',
  summary: 'show a task',
  description: 'Shows a task with its attempts, outputs and comments.',
  examples: [
    ['Show a task and the beginning of its outputs', 'signalbox task show k3v9x2m1q8zt'],
    ['Print the last output', "signalbox task show k3v9x2m1q8zt --json | jq -r '.outputs[-1].content'"],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument())
      .option('--full', 'do not shorten outputs')
      .option('--events', 'show all events, too')
      .action(async (id: string, options: ShowOptions) => {
        const expand: Expansion[] = ['outputs', 'comments', 'attempts'];
        if (options.events) expand.push('events');
        const answer = await clientOf(options).readTask({ project: options.project, task: id, expand });
        const page = { full: options.full === true, now: Date.now() };
        printAnswer(terminal, options, answer, (task) => taskPage(terminal, task, page));
      }),
};

export const why: CommandRow = {
  name: 'why',
  summary: 'explain why a task is not running or not done',
  description: 'Explains what a task waits for, its position in the queue, and what happens next.',
  examples: [
    ['Find out why a task does not start', 'signalbox task why k3v9x2m1q8zt'],
    ['Print the kinds of reasons', "signalbox task why k3v9x2m1q8zt --json | jq -r '.waits_for[].kind'"],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument(OPEN_STATUSES))
      .action(async (id: string, options: ClientOptions) => {
        const answer = await clientOf(options).explainTask({ project: options.project, task: id });
        printAnswer(terminal, options, answer, (reasons) => whyLines(terminal, reasons));
      }),
};

function whyLines(
  terminal: Pick<Terminal, 'style'>,
  { id, status, reason, waits_for: waits, next, queue }: WhyAnswer,
): string[] {
  const dim = (label: string): string => terminal.style('dim', label.padEnd(8));
  const others = queue === null ? 0 : queue.of_other_projects;
  const causes = waits.length > 0 || reason === null ? waits.map(({ detail }) => detail) : [reason];
  const rest = others > 0 ? `; projects take turns, and ${others} more tasks wait in other projects` : '';
  return [
    `task ${id} ${terminal.style(styleOfTask(status), statusPhrase(status))}`,
    ...causes.map((detail, index) => `${dim(index === 0 ? 'because' : '')}${oneLine(detail)}`),
    ...(queue === null ? [] : [`${dim('queue')}${queue.position} of ${queue.length}${rest}`]),
    `${dim('next')}${oneLine(next)}`,
  ];
}

export const comment: CommandRow = {
  name: 'comment',
  summary: 'comment on a task',
  description: 'Adds a comment to a task. The next attempt gets it.',
  examples: [['Tell the next attempt something', 'signalbox task comment k3v9x2m1q8zt "look at src/ only"']],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument())
      .argument('<text>', 'the comment')
      .option('--author <name>', `your name ${OWN_NAME}`)
      .action(async (id: string, body: string, options: ClientOptions & { readonly author?: string }) => {
        const { author = ownName(options), project } = options;
        const answer = await clientOf(options).addComment({ project, task: id, author, body });
        printAnswer(
          terminal,
          options,
          answer,
          (task) => `task ${task.id} now has ${countText(task.comment_count, 'comment')}`,
        );
      }),
};
