/** Follows a task until it settles. */

import { printable } from '../../base/text/printable.ts';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { reviewCommands, taskCommand } from '../../contracts/api/next-command.ts';
import { OPEN_STATUSES, taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { follow, noteUnreachable } from '../follow.ts';
import { type ClientOptions, clientOf, withProject } from '../options.ts';
import { countText, printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { eventLine } from './event-text.ts';
import { statusPhrase, styleOfTask } from './styles.ts';

export interface WatchedTask {
  readonly project: string;
  readonly id: string;
  /** Each event as text or as a line of JSON, or only the settled task as JSON. */
  readonly print: 'events' | 'json_lines' | 'result' | 'nothing';
}

export const watch: CommandRow = {
  name: 'watch',
  summary: 'follow a task until it ends',
  description:
    'Prints the events of a task, and new ones as they happen, until the task is done, failed, cancelled or expired. ' +
    'With --json, prints one event per line.',
  examples: [
    ['Follow a task', 'signalbox task watch k3v9x2m1q8zt'],
    ['Print one event per line as JSON', 'signalbox task watch k3v9x2m1q8zt --json | jq .event.type'],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument(OPEN_STATUSES))
      .action(async (id: string, options: ClientOptions) => {
        const print = options.json ? 'json_lines' : 'events';
        const { project } = options;
        terminal.exitCode = await watchTask(terminal, clientOf(options), { project, id, print });
      }),
};

/** Follows a task until it settles. @returns the exit code: 0 only if the task is done */
export async function watchTask(
  terminal: Terminal,
  client: SignalboxClient,
  { project, id, print }: WatchedTask,
): Promise<number> {
  let last: TaskAnswer | null = null;
  for await (const update of follow({ client, project, id, onUnreachable: noteUnreachable(terminal) })) {
    const { task, events } = update;
    if (print === 'events') for (const event of events) terminal.print(eventLine(terminal, event));
    if (print === 'json_lines') for (const event of events) terminal.print(JSON.stringify(event));
    if (task.status !== last?.status) hint(terminal, task);
    last = task;
  }
  if (print === 'result') {
    const expand = ['outputs', 'comments', 'attempts'] as const;
    printJson(terminal, await client.readTask({ project, task: id, expand }));
  }
  if (print === 'events' && last !== null) terminal.print(endText(terminal, last));
  return last?.status === 'done' ? EXIT_CODES.ok.code : EXIT_CODES.failure.code;
}

/** Notes on standard error that the task waits for a decision. */
function hint(terminal: Terminal, { project, status, id, reason, review }: TaskAnswer): void {
  if (status === 'review' && review !== 'auto') {
    terminal.note(`waiting for a review: ${reviewCommands({ project, task: id })}`);
  }
  if (status === 'blocked') {
    const why = printable(reason ?? 'no reason given');
    terminal.note(`blocked (${why}): unblock it with ${taskCommand('unblock', { project, task: id })}`);
  }
}

function endText(terminal: Terminal, { id, status, reason, output_count: outputs }: TaskAnswer): string {
  const why = reason === null ? '' : `: ${printable(reason)}`;
  return `task ${id} ${terminal.style(styleOfTask(status), statusPhrase(status))}${why}, with ${countText(outputs, 'output')}`;
}
