/** `signalbox task edit`: changes a task while it waits. */
import { Option } from 'commander';
import { oneLine } from '../../base/text/printable.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { EDIT_FIELDS } from '../../contracts/task-fields.ts';
import {
  append,
  appendLabel,
  appendWords,
  durationOf,
  jsonObjectOf,
  OPEN_STATUSES,
  priorityOf,
  taskArgument,
} from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import {
  type ClientOptions,
  type DecisionOptions,
  decisionOf,
  withDecision,
  withProject,
} from '../options.ts';
import { type AddOptions, descriptionOf } from './add-options.ts';
import { decideEach } from './decisions.ts';

interface EditOptions
  extends ClientOptions,
    DecisionOptions,
    Pick<
      AddOptions,
      | 'description'
      | 'file'
      | 'agent'
      | 'type'
      | 'action'
      | 'params'
      | 'mustHave'
      | 'priority'
      | 'expiresAt'
      | 'timeout'
      | 'review'
      | 'label'
      | 'link'
    > {
  readonly title?: string;
  readonly silenceTimeout?: number;
  readonly removeLabel?: readonly string[];
  readonly clear?: readonly string[];
}

/** Fields that may be without a value. */
const CLEARED = Object.entries(EDIT_FIELDS)
  .filter(([, schema]) => schema.safeParse(null).success)
  .map(([name]) => name);

export const edit: CommandRow = {
  name: 'edit',
  summary: 'change a task while it waits',
  description:
    'Changes tasks that wait for an attempt. The priority can be changed until a task has ended, also while an agent works on it. The log has each change, from which value to which.',
  examples: [
    ['Start tasks before others', 'signalbox task edit k3v9x2m1q8zt m8c0d7w5x2ya --priority high'],
    [
      'Give a task to another agent',
      'signalbox task edit k3v9x2m1q8zt --agent reviewer --comment "free now"',
    ],
    ['Change the description', 'signalbox task edit k3v9x2m1q8zt --file description.md'],
    [
      'Give a task to any agent with the capability, and let it wait as long as it takes',
      'signalbox task edit k3v9x2m1q8zt --type code_review --clear agent,expires_at',
    ],
  ],
  add: (command, terminal) =>
    withDecision(withProject(command))
      .addArgument(taskArgument(OPEN_STATUSES, '<ids...>'))
      .option('--title <text>', 'what to do, in one line')
      .option('--description <text>', 'full description; "-" reads it from standard input')
      .addOption(new Option('--file <path>', 'read the description from a file').conflicts('description'))
      .option('--agent <id>', 'agent that does the task')
      .option('--type <id>', 'task type')
      .option('--priority <number>', '1 to 10, highest first; or low, normal, high', priorityOf)
      .option('--label <name=value>', 'label to add or change (repeatable)', appendLabel)
      .option('--remove-label <name>', 'label to remove (repeatable)', append)
      .option('--expires-at <time>', 'do not start after this time, such as 2030-01-31T12:00:00Z')
      .option('--timeout <time>', 'time limit of one attempt, such as 2h', durationOf)
      .option('--silence-timeout <time>', 'time limit without a sign of life, such as 10m', durationOf)
      .option('--review <who>', 'who reviews the result: auto, manual, or an agent')
      .option('--action <name>', 'action, for agents that have several')
      .option('--params <json>', 'parameters for the agent, as a JSON object', jsonObjectOf)
      .option('--must-have <text>', 'requirement that the result must meet (repeatable)', append)
      .option('--link <url>', 'address of what the task is about (repeatable)', append)
      .option('--clear <fields>', `remove the values of these fields: ${CLEARED.join(', ')}`, appendWords)
      .action(async (ids: readonly string[], options: EditOptions) => {
        const changes = await changesOf(options);
        await decideEach(terminal, ids, options, {
          send: (client, task) => client.editTask({ ...task, ...changes, ...decisionOf(options) }),
          done: (answer) => `is now ${factsText(answer)}`,
        });
      }),
};

/** @throws SignalboxError `invalid_request` */
async function changesOf(options: EditOptions) {
  const { label, removeLabel = [], clear = [] } = options;
  const unknown = clear.find((name) => !CLEARED.includes(name));
  if (unknown !== undefined) {
    throw new SignalboxError(
      'invalid_request',
      `--clear: ${JSON.stringify(unknown)} is not one of ${CLEARED.join(', ')}`,
    );
  }
  const removed = Object.fromEntries(removeLabel.map((name) => [name, null]));
  const hasLabels = label !== undefined || removeLabel.length > 0;
  return {
    title: options.title,
    description: await descriptionOf(options),
    agent: options.agent,
    type: options.type,
    action: options.action,
    params: options.params,
    must_haves: options.mustHave && [...options.mustHave],
    priority: options.priority,
    expires_at: options.expiresAt,
    timeout_seconds: options.timeout,
    silence_timeout_seconds: options.silenceTimeout,
    review: options.review,
    labels: hasLabels ? { ...label, ...removed } : undefined,
    links: options.link && [...options.link],
    ...Object.fromEntries(clear.map((name) => [name, null])),
  };
}

function factsText({ agent, type, priority, title }: TaskAnswer): string {
  const taker = agent === null ? `any ${type}` : agent;
  return `"${oneLine(title)}", for ${taker}, priority ${priority}`;
}
