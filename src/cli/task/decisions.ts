/** What a person decides about a task: one command for each decision. */
import type { Command } from 'commander';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { type DecisionOptions, decisionOf, withDecisionOptions } from '../decision-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

type Options = ClientOptions & DecisionOptions;

type DecisionName = 'approve' | 'reject' | 'cancel' | 'block' | 'unblock' | 'retry';

interface DecisionCommand {
  readonly name: DecisionName;
  readonly description: string;
  readonly comment: string;
  readonly needsComment?: true;
  readonly example: readonly [string, string];
}

const ID = 'k3v9x2m1q8zt';

const COMMANDS: readonly DecisionCommand[] = [
  {
    name: 'cancel',
    description: 'Ends a task that is not finished, and stops the attempt that runs.',
    comment: 'why',
    example: ['Stop it', `signalbox task cancel ${ID} --comment "not needed any more"`],
  },
  {
    name: 'approve',
    description: 'Accepts the result of a task in review: it is done.',
    comment: 'a remark',
    example: ['Accept the result', `signalbox task approve ${ID}`],
  },
  {
    name: 'reject',
    description: 'Sends a task in review back: the next attempt is told why.',
    comment: 'what is to be better, for the next attempt',
    needsComment: true,
    example: ['Ask for another one', `signalbox task reject ${ID} --comment "name the files"`],
  },
  {
    name: 'block',
    description: 'Holds a task back until it is unblocked.',
    comment: 'what it waits for',
    example: ['Hold it back', `signalbox task block ${ID} --comment "wait for the new data"`],
  },
  {
    name: 'unblock',
    description: 'Lets a blocked task go on.',
    comment: 'a remark',
    example: ['Let it go on', `signalbox task unblock ${ID}`],
  },
  {
    name: 'retry',
    description: 'Gives a failed or expired task as many attempts again as it had.',
    comment: 'what is different now',
    example: ['Try again', `signalbox task retry ${ID} --comment "the disk is free again"`],
  },
];

export function addTaskDecisions(task: Command, terminal: Terminal): void {
  for (const { name, description, comment, needsComment, example } of COMMANDS) {
    const command = withClientOptions(task.command(name)).description(description);
    command.argument('<id>', 'the task');
    withDecisionOptions(command, comment, needsComment).action((id: string, options: Options) =>
      decide(terminal, name, id, options),
    );
    withExamples(command, [example]);
  }
}

async function decide(terminal: Terminal, name: DecisionName, id: string, options: Options): Promise<void> {
  const { comment = '', ...decision } = decisionOf(options);
  const input = { project: options.project, task: id, ...decision, ...(comment && { comment }) };
  const client = clientOf(options);
  const task = await (name === 'reject'
    ? client.rejectTask({ ...input, comment })
    : client[`${name}Task`](input));
  terminal.print(
    options.json ? JSON.stringify(task, null, 2) : `task ${printable(id)} is ${task.status} now`,
  );
}
