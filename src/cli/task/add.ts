import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { NewTask } from '../../client/client.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { append, appendLabel, jsonObjectOf, numberOf, priorityOf } from '../arguments.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
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
  readonly wait?: true;
}

export function addTaskAdd(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('add'))
    .summary('create a task')
    .description('Creates a task, for one agent or for any agent that can do its type.')
    .argument('<title>', 'what is to be done, in one line')
    .option('--agent <id>', 'the agent that is to do it')
    .option('--type <id>', 'or: the capability that its agent must have')
    .option('--description <text>', 'the whole story; "-" reads it from standard input')
    .addOption(new Option('--file <path>', 'reads the description from a file').conflicts('description'))
    .option('--params <json>', 'parameters for the agent, a JSON object', jsonObjectOf)
    .option('--must-have <text>', 'what the result must have; may be repeated', append)
    .option('--priority <number>', '1 to 10, the highest first; or low, normal, high', priorityOf)
    .option('--id <id>', 'an id of your own')
    .option('--idempotency-key <key>', 'the same key and request again create nothing')
    .option('--delay <seconds>', 'seconds until it may start', numberOf)
    .option('--expires-at <time>', 'when it is not to be started any more, as in 2030-01-31T12:00:00Z')
    .option('--timeout <seconds>', 'seconds that one attempt may take', numberOf)
    .option('--max-attempts <number>', 'attempts, the first included', numberOf)
    .addOption(new Option('--review <who>', 'who looks at the result: auto, manual, or an agent'))
    .option('--label <name=value>', 'a label; may be repeated', appendLabel)
    .option('--wait', 'follow it until it settles; exit 0 only when it is done')
    .action((title: string, options: AddOptions) => add(terminal, title, options));
  withExamples(command, [
    [
      'A review of the current directory by one agent',
      'signalbox task add "Review" --agent reviewer --params \'{"repo": "."}\'',
    ],
    [
      'By any agent that can do it, and wait for the result',
      'signalbox task add "Durations" --type data_analysis --review auto --wait',
    ],
    [
      'A long description from another program',
      'git log -5 | signalbox task add "Summarize" --agent writer --description -',
    ],
  ]);
}

async function add(terminal: Terminal, title: string, options: AddOptions): Promise<void> {
  const client = clientOf(options);
  const { status, body: task } = await client.request('createTask', {
    project: options.project,
    ...(await taskOf(title, options)),
  });
  const created = status === 201;
  if (options.wait) {
    if (!options.json) terminal.note(createdText(task.id, options.project, created));
    terminal.exitCode = await watchTask(terminal, client, {
      ...options,
      id: task.id,
      print: options.json ? 'result' : 'news',
    });
    return;
  }
  terminal.print(
    options.json ? JSON.stringify(task, null, 2) : createdText(task.id, options.project, created),
  );
}

function createdText(id: string, project: string, created: boolean): string {
  return created
    ? `created task ${id} in project ${project}`
    : `task ${id} in project ${project} was created by an equal request before`;
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
    source: 'cli',
  };
}

async function descriptionOf({ description, file }: AddOptions): Promise<string | undefined> {
  if (description === '-') return readAll(process.stdin);
  if (file === undefined) return description;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SignalboxError('invalid_request', `--file ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
