import type { Command } from 'commander';
import type { SignalboxClient } from '../../client/client.ts';
import type { TaskAnswer } from '../../contracts/api/answers.ts';
import { type ClientOptions, clientOf, withClientOptions } from '../client-options.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';
import { eventLine } from './event-text.ts';
import { styleOfState } from './state-style.ts';

export interface WatchedTask {
  readonly project: string;
  readonly id: string;
  /** Each event as a line for people or as JSON, or the settled task as JSON at the end. */
  readonly print: 'news' | 'json_lines' | 'result';
}

export function addTaskWatch(task: Command, terminal: Terminal): void {
  const command = withClientOptions(task.command('watch'))
    .summary('follow a task until it settles')
    .description(
      'Prints what has happened to a task, and then each transition as it happens, until the task is done, failed, ' +
        'cancelled or expired. With --json one event per line.',
    )
    .argument('<id>', 'the task')
    .action(async (id: string, options: ClientOptions) => {
      const print = options.json ? 'json_lines' : 'news';
      terminal.exitCode = await watchTask(terminal, clientOf(options), { ...options, id, print });
    });
  withExamples(command, [
    ['Follow a task', 'signalbox task watch k3v9x2m1q8zt'],
    ['As JSON, one event per line', 'signalbox task watch k3v9x2m1q8zt --json | jq .event.type'],
  ]);
}

/** Follows a task to its end, and answers with the exit code that its end asks for. */
export async function watchTask(
  terminal: Terminal,
  client: SignalboxClient,
  watched: WatchedTask,
): Promise<number> {
  const { project, id, print } = watched;
  const onAway = ({ message }: Error): void =>
    terminal.note(`signalbox: ${printable(message)}; trying again`);
  let last: TaskAnswer | null = null;
  for await (const { task, events } of follow({ client, project, id, onAway })) {
    if (print === 'news') for (const event of events) terminal.print(eventLine(terminal, event));
    if (print === 'json_lines') for (const event of events) terminal.print(JSON.stringify(event));
    if (task.status !== last?.status) hint(terminal, task);
    last = task;
  }
  if (print === 'result') {
    const whole = await client.readTask({ project, task: id, expand: ['outputs', 'comments', 'attempts'] });
    terminal.print(JSON.stringify(whole, null, 2));
  }
  if (print === 'news' && last !== null) terminal.print(endText(terminal, last));
  return last?.status === 'done' ? EXIT_CODES.ok.code : EXIT_CODES.failure.code;
}

/** States in which somebody has to do something: on standard error, since programs do not care. */
function hint(terminal: Terminal, { status, id, reason, review }: TaskAnswer): void {
  if (status === 'review' && review !== 'auto') {
    terminal.note(`waits for a review: "signalbox task approve ${id}", or "reject ${id} --comment TEXT"`);
  }
  if (status === 'blocked') {
    terminal.note(`is blocked (${printable(reason ?? 'no reason given')}): "signalbox task unblock ${id}"`);
  }
}

function endText(terminal: Terminal, { id, status, reason, output_count: outputs }: TaskAnswer): string {
  const why = reason === null ? '' : `: ${printable(reason)}`;
  const shown = terminal.style(styleOfState(status), status);
  return `task ${id} is ${shown}${why}, with ${outputs} ${outputs === 1 ? 'output' : 'outputs'}`;
}
