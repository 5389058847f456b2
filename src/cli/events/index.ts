import type { Command } from 'commander';
import type { EventAnswer } from '../../client/events.ts';
import { numberOf, wordsOf } from '../arguments.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import { eventLine } from '../task/event-text.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

interface TailOptions extends ServerOptions {
  readonly project?: string;
  readonly task?: string;
  readonly type?: readonly string[];
  readonly after?: number;
}

/** About a minute: Signalbox may be restarting. */
const RETRIES = 15;

/** `signalbox events …` */
export function addEventCommands(program: Command, terminal: Terminal): void {
  const events = program.command('events').description('The event log, as it grows.');
  const command = withServerOptions(events.command('tail'))
    .summary('follow the events')
    .description(
      'Prints each event of the log as it comes, over interruptions and restarts of Signalbox, until Ctrl-C. ' +
        'With --json one event per line.',
    )
    .option('--project <id>', 'only events of this project')
    .option('--task <id>', 'only events of this task')
    .option(
      '--type <types>',
      'only these types, with commas between; "task.*" for all that begin so',
      wordsOf,
    )
    .option('--after <sequence>', 'begin after this place in the log, 0 for all of it', numberOf)
    .action((options: TailOptions) => tail(terminal, options));
  withExamples(command, [
    ['What happens now', 'signalbox events tail'],
    [
      'Every end of an attempt so far, as JSON',
      'signalbox events tail --after 0 --type attempt.ended --json',
    ],
  ]);
}

async function tail(terminal: Terminal, options: TailOptions): Promise<void> {
  const { project, task, type: types, after } = options;
  const query = {
    ...(project === undefined ? {} : { project }),
    ...(task === undefined ? {} : { task }),
    ...(types === undefined ? {} : { types }),
    ...(after === undefined ? {} : { after }),
    onAway: ({ message }: Error) => terminal.note(`signalbox: ${printable(message)}; trying again`),
  };
  for await (const event of clientOf(options, RETRIES).events(query)) {
    terminal.print(options.json ? JSON.stringify(event) : lineOf(terminal, event));
  }
}

/** What it is about stands first: unlike in the history of a task, it may be anything. */
function lineOf(terminal: Terminal, answer: EventAnswer): string {
  const { project, task, agent } = answer.event;
  const about = typeof task === 'string' ? `${project}/${task}` : typeof agent === 'string' ? agent : '-';
  return `${answer.sequence} ${printable(about)} ${eventLine(terminal, answer)}`;
}
