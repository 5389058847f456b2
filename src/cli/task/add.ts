/** Creates a task, and follows it on request. */
import { Option } from 'commander';
import { z } from 'zod';
import { faultText, readExactJson } from '../../base/exact-json.ts';
import type { NewTask, SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import {
  append,
  appendLabel,
  appendWords,
  durationOf,
  jsonObjectOf,
  numberOf,
  priorityOf,
} from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { clientOf, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { type AddOptions, invalid, taskOf, textOf, withoutUndefined } from './add-options.ts';
import { requestOf } from './copy.ts';
import { watchTask } from './watch.ts';

export const add: CommandRow = {
  name: 'add',
  summary: 'create a task',
  description: 'Creates a task for one agent, or for any agent that has the capability for its type.',
  examples: [
    [
      'Ask one agent to review the current directory',
      'signalbox task add "Review" --agent reviewer --params \'{"repo": "."}\'',
    ],
    [
      'Ask any agent with the capability, and wait for the result',
      'signalbox task add "Durations" --type data_analysis --review auto --wait',
    ],
    [
      'Continue when another task is done, and print only the id',
      'signalbox task add "Publish" --agent writer --depends-on k3v9x2m1q8zt -q',
    ],
    [
      'Create a task from a template of the configuration',
      'signalbox task add --template review --input file=src/parser.ts',
    ],
    [
      'Run a task again with other parameters',
      'signalbox task add --copy k3v9x2m1q8zt --params \'{"depth": 3}\'',
    ],
    ['Create many tasks, one for each line', 'signalbox task add --from tasks.txt --agent reviewer'],
    [
      'Read the description from another program',
      'git log -5 | signalbox task add "Summarize" --agent writer --description -',
    ],
  ],
  add: (command, terminal) =>
    withProject(command)
      .argument('[title]', 'what to do, in one line; "-" reads tasks from standard input, as --from does')
      .option(
        '--from <path>',
        'create each line of this file: a JSON object with the fields of a task, or a title',
      )
      .addOption(
        new Option('--template <id>', 'create it from this template; other options go before it').conflicts([
          'from',
          'copy',
        ]),
      )
      .option('--input <name=value>', 'input of the template (repeatable)', appendLabel)
      .addOption(
        new Option('--copy <id>', 'create it as this task was created; other options go before it').conflicts(
          'from',
        ),
      )
      .option('--agent <id>', 'agent that does the task')
      .option('--type <id>', 'task type; any agent with this capability may do the task')
      .option('--description <text>', 'full description; "-" reads it from standard input')
      .addOption(new Option('--file <path>', 'read the description from a file').conflicts('description'))
      .option('--action <name>', 'action, for agents that have several')
      .option('--params <json>', 'parameters for the agent, as a JSON object', jsonObjectOf)
      .option(
        '--depends-on <ids>',
        'tasks that must be done first, separated by commas (repeatable)',
        appendWords,
      )
      .option('--parent <id>', 'task that this one is a part of')
      .option('--join', 'this task is done only when its children are')
      .option('--follow-up <title>', 'task for the same agent when this one is done (repeatable)', append)
      .option('--must-have <text>', 'requirement that the result must meet (repeatable)', append)
      .option('--priority <number>', '1 to 10, highest first; or low, normal, high', priorityOf)
      .option('--id <id>', 'id of the task (default: generated)')
      .option('--idempotency-key <key>', 'repeating the request with the same key creates no second task')
      .option('--delay <time>', 'do not start for this long, such as 5m', durationOf)
      .option('--not-before <time>', 'do not start before this time, such as 2030-01-31T12:00:00Z')
      .option('--expires-at <time>', 'do not start after this time, such as 2030-01-31T12:00:00Z')
      .option('--timeout <time>', 'time limit of one attempt, such as 2h', durationOf)
      .option('--max-attempts <number>', 'attempts, including the first', numberOf)
      .option('--review <who>', 'who reviews the result: auto, manual, or an agent')
      .option('--label <name=value>', 'label (repeatable)', appendLabel)
      .option('--link <url>', 'address of what the task is about, such as an issue (repeatable)', append)
      .option('-q, --quiet', 'print only the id')
      .option('--wait', 'follow the task until it ends; exit code 0 only if it is done')
      .action((title: string | undefined, options: AddOptions) =>
        addTasks(terminal, title, {
          ...options,
          isProjectGiven: command.getOptionValueSource('project') !== 'default',
        }),
      ),
};

interface GivenOptions extends AddOptions {
  readonly isProjectGiven: boolean;
}

async function addTasks(terminal: Terminal, title: string | undefined, options: GivenOptions): Promise<void> {
  const from = title === '-' ? '-' : options.from;
  if (from !== undefined) {
    if (options.description === '-') throw invalid('--description: standard input has the tasks already');
    if (title !== undefined && title !== '-') throw invalid('give a title, or --from');
    if (options.id !== undefined || options.idempotencyKey !== undefined)
      throw invalid('--id and --idempotency-key are for one task: write them into the lines of the file');
    const common = withoutUndefined(await taskOf(options));
    for (const fields of linesOf(await textOf('--from', from)))
      await addTask(terminal, { ...common, ...fields }, options);
    return;
  }
  const { template, copy, input } = options;
  if (input !== undefined && template === undefined) throw invalid('--input is for --template');
  const given = { ...withoutUndefined(await taskOf(options)), ...(title !== undefined && { title }) };
  if (template !== undefined) return addFromTemplate(terminal, template, given, options);
  if (copy !== undefined) return addCopy(terminal, copy, given, options);
  if (title === undefined) throw invalid('give a title, or --from, --template or --copy');
  await addTask(terminal, { ...given, title }, options);
}

/** In the project of the template, unless one is given. */
async function addFromTemplate(
  terminal: Terminal,
  template: string,
  { source: _source, ...given }: Partial<NewTask>,
  { isProjectGiven, ...options }: GivenOptions,
): Promise<void> {
  const client = clientOf(options);
  const { templates } = isProjectGiven ? { templates: [] } : await client.listTemplates();
  const project = templates.find(({ id }) => id === template)?.project ?? options.project;
  const request = { ...given, project, template, inputs: options.input };
  const answered = await client.request('createFromTemplate', request);
  await reportTask(terminal, client, answered, { ...options, project });
}

/** The request of an earlier task again, but for what was about that one alone: its id, key and times. */
async function addCopy(
  terminal: Terminal,
  copy: string,
  { source: _source, ...given }: Partial<NewTask>,
  options: AddOptions,
): Promise<void> {
  const task = await clientOf(options).readTask({ project: options.project, task: copy });
  const { agent, ...rest } = requestOf(task);
  // A type that is given stands for any agent.
  const own = given.type === undefined ? { ...rest, agent } : rest;
  const request = { ...own, ...given, source: `copy of ${copy}` };
  await addTask(terminal, request, options);
}

async function addTask(terminal: Terminal, fields: LineFields, options: AddOptions): Promise<void> {
  const client = clientOf(options);
  const answered = await client.request('createTask', { ...fields, project: options.project });
  await reportTask(terminal, client, answered, options);
}

async function reportTask(
  terminal: Terminal,
  client: SignalboxClient,
  { status, body }: { readonly status: number; readonly body: TaskAnswer },
  options: AddOptions,
): Promise<void> {
  const { project, json, quiet } = options;
  const text =
    status === 201
      ? `created task ${body.id} in project ${project}`
      : `task ${body.id} in project ${project} already exists, created by the same request`;
  if (quiet) terminal.print(body.id);
  else if (!options.wait) printAnswer(terminal, options, body, () => text);
  else if (!json) terminal.note(text);
  await noteMissingAgent(terminal, client, body);
  if (!options.wait) return;
  const print = json ? 'result' : quiet ? 'nothing' : 'events';
  const code = await watchTask(terminal, client, { project, id: body.id, print });
  // Of several tasks, one that is not done counts.
  terminal.exitCode ||= code;
}

/** A task for which the configuration has no agent is accepted, since one may be added: but not without a word. */
async function noteMissingAgent(
  terminal: Terminal,
  client: SignalboxClient,
  { project, id, agent, status }: TaskAnswer,
): Promise<void> {
  if (agent !== null || status !== 'pending') return;
  const { waits_for: waits } = await client.explainTask({ project, task: id });
  const missing = waits.find(({ kind }) => kind === 'no_agent');
  if (missing) terminal.note(`signalbox: task ${id} waits: ${missing.detail}`);
}

type LineFields = Pick<NewTask, 'title'>;

/** One task for each line that is not empty. @throws SignalboxError `invalid_request` */
function linesOf(text: string): LineFields[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '') return [];
    if (!trimmed.startsWith('{')) return [{ title: trimmed }];
    const read = readExactJson(trimmed);
    if (!read.ok) throw invalid(`line ${index + 1}: ${faultText(read.fault)}`);
    const parsed = lineSchema.safeParse(read.value);
    if (parsed.success) return [parsed.data];
    throw invalid(`line ${index + 1}: expected a JSON object with a "title", or a title`);
  });
}

/** Signalbox checks the other fields. */
const lineSchema = z.looseObject({ title: z.string() });
