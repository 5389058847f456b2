/** Creates a task, and follows it on request. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Option } from 'commander';
import type { NewTask } from '../../client/client.ts';
import { append, appendLabel, jsonObjectOf, numberOf, priorityOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ClientOptions, clientOf, unreadable, withProject } from '../options.ts';
import { printAnswer } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watchTask } from './watch.ts';

interface AddOptions extends ClientOptions {
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
      'Read the description from another program',
      'git log -5 | signalbox task add "Summarize" --agent writer --description -',
    ],
  ],
  add: (command, terminal) =>
    withProject(command)
      .argument('<title>', 'what to do, in one line')
      .option('--agent <id>', 'agent that does the task')
      .option('--type <id>', 'task type; any agent with this capability may do the task')
      .option('--description <text>', 'full description; "-" reads it from standard input')
      .addOption(new Option('--file <path>', 'read the description from a file').conflicts('description'))
      .option('--params <json>', 'parameters for the agent, as a JSON object', jsonObjectOf)
      .option('--must-have <text>', 'requirement that the result must meet (repeatable)', append)
      .option('--priority <number>', '1 to 10, highest first; or low, normal, high', priorityOf)
      .option('--id <id>', 'id of the task (default: generated)')
      .option('--idempotency-key <key>', 'repeating the request with the same key creates no second task')
      .option('--delay <seconds>', 'do not start before this time', numberOf)
      .option('--expires-at <time>', 'do not start after this time, such as 2030-01-31T12:00:00Z')
      .option('--timeout <seconds>', 'time limit of one attempt', numberOf)
      .option('--max-attempts <number>', 'attempts, including the first', numberOf)
      .option('--review <who>', 'who reviews the result: auto, manual, or an agent')
      .option('--label <name=value>', 'label (repeatable)', appendLabel)
      .option('--link <url>', 'address of what the task is about, such as an issue (repeatable)', append)
      .option('--wait', 'follow the task until it ends; exit code 0 only if it is done')
      .action((title: string, options: AddOptions) => addTask(terminal, title, options)),
};

async function addTask(terminal: Terminal, title: string, options: AddOptions): Promise<void> {
  const client = clientOf(options);
  const { project, json } = options;
  const request = { project, ...(await taskOf(title, options)) };
  const { status, body } = await client.request('createTask', request);
  const text =
    status === 201
      ? `created task ${body.id} in project ${project}`
      : `task ${body.id} in project ${project} already exists, created by the same request`;
  if (!options.wait) return printAnswer(terminal, options, body, () => text);
  if (!json) terminal.note(text);
  const print = json ? 'result' : 'events';
  terminal.exitCode = await watchTask(terminal, client, { project, id: body.id, print });
}

async function taskOf(title: string, options: AddOptions): Promise<NewTask> {
  return {
    title,
    id: options.id,
    idempotency_key: options.idempotencyKey,
    agent: options.agent,
    type: options.type,
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

async function descriptionOf({ description, file }: AddOptions): Promise<string | undefined> {
  if (description === '-') return readAll(process.stdin);
  if (file === undefined) return description;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable('--file', file, cause);
  }
}
