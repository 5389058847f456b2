/** Creates a task, and follows it on request. */
import { readFile } from 'node:fs/promises';
import { buffer as readAll } from 'node:stream/consumers';
import { Option } from 'commander';
import { z } from 'zod';
import { faultText, readExactJson } from '../../base/exact-json.ts';
import { utf8Text } from '../../base/text/utf8.ts';
import type { NewTask, SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
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
import { type ClientOptions, clientOf, unreadable, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watchTask } from './watch.ts';

export interface AddOptions extends ClientOptions {
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly agent?: string;
  readonly type?: string;
  readonly description?: string;
  readonly file?: string;
  readonly params?: Record<string, unknown>;
  readonly mustHave?: readonly string[];
  readonly priority?: NewTask['priority'];
  readonly delay?: number;
  readonly expiresAt?: string;
  readonly timeout?: number;
  readonly maxAttempts?: number;
  readonly review?: string;
  readonly label?: Record<string, string>;
  readonly link?: readonly string[];
  readonly from?: string;
  readonly action?: string;
  readonly dependsOn?: readonly string[];
  readonly parent?: string;
  readonly join?: true;
  readonly followUp?: readonly string[];
  readonly notBefore?: string;
  readonly quiet?: true;
  readonly wait?: true;
}

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
      .action((title: string | undefined, options: AddOptions) => addTasks(terminal, title, options)),
};

async function addTasks(terminal: Terminal, title: string | undefined, options: AddOptions): Promise<void> {
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
  if (title === undefined) throw invalid('give a title, or --from');
  await addTask(terminal, { ...withoutUndefined(await taskOf(options)), title }, options);
}

async function addTask(terminal: Terminal, fields: LineFields, options: AddOptions): Promise<void> {
  const client = clientOf(options);
  const { project, json, quiet } = options;
  const request = { ...fields, project };
  const { status, body } = await client.request('createTask', request);
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

function invalid(message: string): SignalboxError {
  return new SignalboxError('invalid_request', message);
}

/** What a line of a file says goes before an option; an option that was not given says nothing. */
function withoutUndefined(fields: Omit<NewTask, 'title'>): Omit<NewTask, 'title'> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

async function taskOf(options: AddOptions): Promise<Omit<NewTask, 'title'>> {
  const { agent, type } = options;
  return {
    id: options.id,
    idempotency_key: options.idempotencyKey,
    agent,
    type,
    action: options.action,
    parent: options.parent,
    join: options.join,
    depends_on: options.dependsOn && [...options.dependsOn],
    follow_ups: options.followUp?.map((title) => ({ title, agent, type })),
    not_before: options.notBefore,
    description: await descriptionOf(options),
    params: options.params,
    must_haves: options.mustHave === undefined ? undefined : [...options.mustHave],
    priority: options.priority,
    delay_seconds: options.delay,
    expires_at: options.expiresAt,
    timeout_seconds: options.timeout,
    max_attempts: options.maxAttempts,
    review: options.review,
    labels: options.label,
    links: options.link === undefined ? undefined : [...options.link],
    source: 'cli',
  };
}

/** From the option itself, standard input or a file. @throws SignalboxError `invalid_request` */
export async function descriptionOf({
  description,
  file,
}: Pick<AddOptions, 'description' | 'file'>): Promise<string | undefined> {
  if (description === '-') return textOf('--description', '-');
  return file === undefined ? description : textOf('--file', file);
}

/** @param path "-" for standard input. @throws SignalboxError `invalid_request` */
async function textOf(option: string, path: string): Promise<string> {
  const text = utf8Text(await bytesOf(option, path));
  if (text !== null) return text;
  throw invalid(`${option} ${path === '-' ? '(standard input)' : path}: it is not UTF-8: convert it first`);
}

/** @throws SignalboxError `invalid_request` */
async function bytesOf(option: string, path: string): Promise<Uint8Array> {
  if (path === '-') return readAll(process.stdin);
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(option, path, cause);
  }
}
