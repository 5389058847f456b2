/** `signalbox events`: reads the event log. */
import { numberOf, wordsOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type SourceOptions, withSource } from '../options.ts';
import type { TailOptions } from './tail.ts';

const tail: CommandRow = {
  name: 'tail',
  summary: 'follow the event log',
  description:
    'Prints every event as it is stored, one per line, until interrupted. Without a running Signalbox, or with a file, ' +
    'ends after the last event.',
  examples: [
    ['Print new events', 'signalbox events tail'],
    ['Print how attempts ended, as JSON', 'signalbox events tail --from 1 --type attempt.ended --json'],
    ['Write the whole log to a file', 'signalbox events tail --from 1 --no-follow --stored > history.ndjson'],
  ],
  add: (command, terminal) =>
    withSource(command)
      .option('--from <sequence>', 'start at this event (default: new events only)', numberOf)
      .option('--project <id>', 'only events of this project')
      .option('--task <id>', 'only events of this task (in project "default" without --project)')
      .option(
        '--type <types>',
        'only these types, separated by commas: task.claimed, or attempt for all of them',
        wordsOf,
      )
      .option('--no-follow', 'end after the last stored event')
      .option('--stored', 'print events exactly as stored, as "--file" reads them')
      .action(async (options: TailOptions) => {
        const { tailEvents } = await import('./tail.ts');
        await tailEvents(terminal, options);
      }),
};

const show: CommandRow = {
  name: 'show',
  description: 'Shows one event with all its fields.',
  summary: 'show one event',
  examples: [
    ['Show event 1234', 'signalbox events show 1234'],
    ['Print who caused it', 'signalbox events show 1234 --json | jq -r .actor'],
  ],
  add: (command, terminal) =>
    withSource(command)
      .argument('<sequence>', 'sequence number of the event', numberOf)
      .action(async (sequence: number, options: SourceOptions) => {
        const { showEvent } = await import('./tail.ts');
        await showEvent(terminal, sequence, options);
      }),
};

export const events: CommandRow = {
  name: 'events',
  summary: 'read and follow the event log',
  description: 'Reads and follows the event log.',
  examples: [
    ['Follow the events of a project', 'signalbox events tail --project demo'],
    ['Show one event', 'signalbox events show 1234'],
  ],
  commands: [tail, show],
};
