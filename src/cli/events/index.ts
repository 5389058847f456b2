import type { Command } from 'commander';
import { numberOf, wordsOf } from '../arguments.ts';
import { exitCodesText } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import { type SourceOptions, withSourceOptions } from '../log/log-options.ts';
import type { Terminal } from '../terminal.ts';

export interface TailOptions extends SourceOptions {
  readonly from?: number;
  readonly project?: string;
  readonly task?: string;
  readonly type?: readonly string[];
  readonly follow: boolean;
  readonly stored?: true;
}

/** The commands that show the log itself. */
export function addEventCommands(program: Command, terminal: Terminal): void {
  const events = program.command('events').description('read the event log, and follow it');
  addTail(events, terminal);
  addShow(events, terminal);
  events.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox events tail --project demo\n  $ signalbox events show 1234\n\n${exitCodesText()}`,
  );
}

function addTail(events: Command, terminal: Terminal): void {
  const command = withSourceOptions(events.command('tail'))
    .summary('follow the log')
    .description(
      'Prints every event as it is stored, one a line, until it is interrupted. Where no Signalbox runs, and with a file, it ends with the last one.',
    )
    .option('--from <sequence>', 'from this event on (default: what comes from now on)', numberOf)
    .option('--project <id>', 'only events of this project')
    .option('--task <id>', 'only events of this task (its project: default, or --project)')
    .option(
      '--type <types>',
      'only these, with commas between: task.claimed, or attempt for all of them',
      wordsOf,
    )
    .option('--no-follow', 'end with the last event that is there now')
    .option('--stored', 'the events exactly as they are stored: lines for "--file"')
    .action(async (options: TailOptions) => {
      const { tailEvents } = await import('./tail.ts');
      await tailEvents(terminal, options);
    });
  withExamples(command, [
    ['What happens now', 'signalbox events tail'],
    ['What attempts came to, for a program', 'signalbox events tail --from 1 --type attempt.ended --json'],
    [
      'The whole log, to be looked at elsewhere',
      'signalbox events tail --from 1 --no-follow --stored > history.ndjson',
    ],
  ]);
}

function addShow(events: Command, terminal: Terminal): void {
  const command = withSourceOptions(events.command('show'))
    .summary('show one event whole')
    .argument('<sequence>', 'its place in the log', numberOf)
    .action(async (sequence: number, options: SourceOptions) => {
      const { showEvent } = await import('./show.ts');
      await showEvent(terminal, sequence, options);
    });
  withExamples(command, [
    ['Event 1234', 'signalbox events show 1234'],
    ['Who caused it', 'signalbox events show 1234 --json | jq -r .actor'],
  ]);
}
