/** `signalbox queue`: the tasks that wait for an agent, or for any agent with a capability. */
import { Argument } from 'commander';
import type { SignalboxClient } from '../../client/client.ts';
import type { QueueAnswer } from '../../contracts/api/answers.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import { CompletedArgument } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import {
  clientOf,
  type DecisionOptions,
  decisionOf,
  type ServerOptions,
  withDecision,
  withServer,
} from '../options.ts';
import { printAnswer, printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

type Kind = QueueAnswer['kind'];

const ls: CommandRow = {
  name: 'ls',
  summary: 'list queues',
  description:
    'Lists the queue of every agent and every task type: how many tasks wait, for how long, and which queues are paused.',
  examples: [
    ['List all queues', 'signalbox queue ls'],
    ['List paused queues, for a script', "signalbox queue ls --json | jq '.[] | select(.paused)'"],
  ],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      const { queues: rows } = await clientOf(options).listQueues();
      printList(terminal, options, { rows, columns, empty: 'no agents, and no tasks are waiting' });
    }),
};

function columns(now: number): readonly Column<QueueAnswer>[] {
  return [
    { title: 'FOR', text: ({ kind, name }) => (kind === 'agent' ? name : `(${name})`), isName: true },
    { title: 'PENDING', text: ({ pending }) => pending, align: 'right' },
    { title: 'SCHEDULED', text: ({ scheduled }) => scheduled, align: 'right' },
    {
      title: 'OLDEST',
      text: ({ oldest_pending_at: at }) => (at === null ? '' : ageText(at, now)),
      align: 'right',
    },
    { title: 'AGENTS', text: ({ agents }) => agents.join(', ') || '-' },
    { title: 'PAUSED', text: (queue) => pauseText(queue, now), style: () => 'yellow' },
  ];
}

/** For how long, by whom and why; empty if the queue is open. */
function pauseText({ paused }: QueueAnswer, now: number): string {
  if (paused === null) return '';
  const { since, by, reason } = paused;
  return [`for ${ageText(since, now)} by ${by}`, ...(reason === null ? [] : [reason])].join(': ');
}

type QueueInput = Decision & Pick<QueueAnswer, 'kind' | 'name'>;

interface QueueDecision {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly Example[];
  /** The queues that the shell offers. */
  readonly isPaused: boolean;
  readonly send: (client: SignalboxClient, input: QueueInput) => Promise<QueueAnswer>;
}

const DECISIONS: readonly QueueDecision[] = [
  {
    name: 'pause',
    description:
      'Stops assigning tasks from a queue to any agent. Tasks can still be added, and running attempts continue. ' +
      'Survives restarts. To stop one agent for all queues, use "agent pause".',
    examples: [
      [
        'Pause all tasks of a type',
        'signalbox queue pause type build --comment "the test machine is being moved"',
      ],
      ['Pause the tasks addressed to one agent', 'signalbox queue pause agent writer'],
    ],
    isPaused: false,
    send: (client, input) => client.pauseQueue(input),
  },
  {
    name: 'resume',
    description: 'Resumes a queue: its tasks are assigned again at once.',
    examples: [['Resume a queue', 'signalbox queue resume type build']],
    isPaused: true,
    send: (client, input) => client.resumeQueue(input),
  },
];

function decisionRow({ name, description, examples, isPaused, send }: QueueDecision): CommandRow {
  return {
    name,
    summary: `${name} a queue`,
    description,
    examples,
    add: (command, terminal) =>
      withDecision(withServer(command))
        .addArgument(
          new Argument('<kind>', 'queue of one agent, or of a task type').choices(['agent', 'type']),
        )
        .addArgument(
          new CompletedArgument('<name>', 'the agent or the task type', { kind: 'queues', isPaused }),
        )
        .action(async (kind: Kind, id: string, options: ServerOptions & DecisionOptions) => {
          const answer = await send(clientOf(options), { kind, name: id, ...decisionOf(options) });
          printAnswer(terminal, options, answer, ({ paused, pending }) => {
            const state = paused === null ? 'open' : 'paused';
            return `the queue of ${kind} ${id} is now ${state}, ${pending} pending`;
          });
        }),
  };
}

export const queue: CommandRow = {
  name: 'queue',
  summary: 'list queues; pause a queue; resume it',
  description: 'Lists, pauses and resumes queues: the tasks that wait for agents.',
  examples: [
    ['List all queues', 'signalbox queue ls'],
    ['Pause a queue', 'signalbox queue pause type build --comment "the test machine is being moved"'],
  ],
  commands: [ls, ...DECISIONS.map(decisionRow)],
};
