/** Decisions about a task: one row is one command. */

import { printable } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import type { Decision } from '../../contracts/api/requests.ts';
import type { TaskRef } from '../../contracts/ids.ts';
import type { TaskState } from '../../contracts/tasks.ts';
import { DEAD_STATUSES, OPEN_STATUSES, taskArgument } from '../arguments.ts';
import type { CommandRow, Example } from '../command.ts';
import { reportFailure } from '../failure.ts';
import {
  type ClientOptions,
  clientOf,
  type DecisionOptions,
  decisionOf,
  withDecision,
  withProject,
} from '../options.ts';
import { countText, printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';

interface TaskDecision {
  readonly name: string;
  readonly description: string;
  /** Help for the comment. */
  readonly comment: string;
  readonly needsComment?: true;
  /** The shell offers tasks with these statuses. */
  readonly statuses: readonly TaskState[];
  readonly example: Example;
  /** Whether it can be about everything below the task, too. */
  readonly hasChildren?: true;
  readonly send: (
    client: SignalboxClient,
    input: TaskRef & Decision & { readonly children?: true },
  ) => Promise<TaskAnswer>;
}

interface TaskDecisionOptions extends ClientOptions, DecisionOptions {
  readonly children?: true;
}

const DECISIONS: readonly TaskDecision[] = [
  {
    name: 'cancel',
    description:
      'Cancels a task that has not ended, and stops its running attempt; with --children also every task below it.',
    hasChildren: true,
    comment: 'reason for the decision',
    statuses: OPEN_STATUSES,
    example: [
      'Cancel a task and everything below it',
      'signalbox task cancel k3v9x2m1q8zt --children --comment "not needed any more"',
    ],
    send: (client, input) => client.cancelTask(input),
  },
  {
    name: 'approve',
    description: 'Approves the results of tasks in review: they are done.',
    comment: 'remark',
    statuses: ['review'],
    example: ['Approve two results', 'signalbox task approve k3v9x2m1q8zt m8c0d7w5x2ya'],
    send: (client, input) => client.approveTask(input),
  },
  {
    name: 'reject',
    description:
      'Rejects the result of a task in review: the task gets another attempt, which gets the comment.',
    comment: 'what the next attempt should improve',
    needsComment: true,
    statuses: ['review'],
    example: ['Ask for a better result', 'signalbox task reject k3v9x2m1q8zt --comment "name the files"'],
    send: (client, { comment = '', ...input }) => client.rejectTask({ ...input, comment }),
  },
  {
    name: 'block',
    description: 'Blocks a task: it is not assigned until it is unblocked.',
    comment: 'what the task waits for',
    statuses: OPEN_STATUSES,
    example: ['Block a task', 'signalbox task block k3v9x2m1q8zt --comment "wait for the new data"'],
    send: (client, input) => client.blockTask(input),
  },
  {
    name: 'unblock',
    description: 'Unblocks a task: it can be assigned again.',
    comment: 'remark',
    statuses: ['blocked'],
    example: ['Unblock a task', 'signalbox task unblock k3v9x2m1q8zt'],
    send: (client, input) => client.unblockTask(input),
  },
  {
    name: 'retry',
    description: 'Retries a failed or expired task, with as many new attempts as it had before.',
    comment: 'what has changed',
    statuses: DEAD_STATUSES,
    example: ['Retry a task', 'signalbox task retry k3v9x2m1q8zt --comment "the disk is free again"'],
    send: (client, input) => client.retryTask(input),
  },
];

export const decisions: readonly CommandRow[] = DECISIONS.map((row) => ({
  name: row.name,
  summary: `${row.name} a task`,
  description: row.description,
  examples: [row.example],
  add: (command, terminal) => {
    withDecision(withProject(command), row.comment, row.needsComment)
      .addArgument(taskArgument(row.statuses, '<ids...>'))
      .action((ids: readonly string[], { children, ...options }: TaskDecisionOptions) =>
        decideEach(terminal, ids, options, {
          send: (client, task) =>
            row.send(client, { ...task, ...decisionOf(options), ...(children && { children }) }),
          done: (answer) => `${statusText(answer)}${children ? belowText(answer) : ''}`,
        }),
      );
    if (row.hasChildren) command.option('--children', 'with everything below it that has not ended');
  },
}));

function statusText({ status }: TaskAnswer): string {
  return `is now ${status === 'review' ? 'in review' : status}`;
}

function belowText({ children }: TaskAnswer): string {
  return `, with ${countText(children?.unsettled_below ?? 0, 'task')} below it`;
}

interface EachTask {
  readonly send: (client: SignalboxClient, task: TaskRef) => Promise<TaskAnswer>;
  /** What is printed after the id. */
  readonly done: (answer: TaskAnswer) => string;
}

/** Each is decided or stays unchanged, independently of the others: the exit code is that of the first failure. */
export async function decideEach(
  terminal: Terminal,
  given: readonly string[],
  options: ClientOptions,
  { send, done }: EachTask,
): Promise<void> {
  const client = clientOf(options);
  const { project } = options;
  const ids = [...new Set(given)];
  const answers: TaskAnswer[] = [];
  for (const task of ids) {
    try {
      const answer = await send(client, { project, task });
      answers.push(answer);
      if (!options.json) terminal.print(`task ${printable(task)} ${done(answer)}`);
    } catch (error) {
      if (ids.length === 1) throw error;
      terminal.exitCode ||= reportFailure(terminal, error, false);
    }
  }
  if (options.json) printJson(terminal, ids.length === 1 ? answers[0] : answers);
}
