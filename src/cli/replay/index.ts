/** `signalbox replay`: the state at any moment, computed from the event log. */
import { type Command, Option } from 'commander';
import { numberOf } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type SourceOptions, withSource } from '../options.ts';
import type { ReplayOptions } from './scope.ts';

const check: CommandRow = {
  name: 'check',
  summary: 'replay the whole log and report the first difference',
  description:
    'Replays every recorded event with this version, and reports the first one that gives a different result. Run it with ' +
    'a new version before an upgrade: that version would refuse to start on such a log.',
  examples: [
    ['Check before an upgrade, with the new version', 'signalbox replay check --data-dir /var/lib/signalbox'],
    ['Check a log in a file', 'signalbox replay check --file history.ndjson'],
  ],
  add: (command, terminal) =>
    withSource(command).action(async (_: unknown, self: Command) => {
      const { checkReplay } = await import('./check.ts');
      await checkReplay(terminal, self.optsWithGlobals<SourceOptions>());
    }),
};

export const replay: CommandRow = {
  name: 'replay',
  summary: 'show the state at any moment',
  description:
    'Computes the state at a moment from the event log: all tasks, or one task in full. Only reads: starts, writes and ' +
    'sends nothing. Works next to a running Signalbox, on the data of a stopped one, and on a file.\n\n' +
    'A moment is a sequence (1234), a time (2025-01-31T14:03:00Z), or an age ("10m ago").',
  examples: [
    ['Show all tasks as of an hour ago', 'signalbox replay --to "1h ago"'],
    ['Show a task after event 1234', 'signalbox replay --to 1234 --project demo --task T-1'],
    ['Show what has changed since this morning', 'signalbox replay --diff 2025-01-31T08:00:00Z 1m'],
    ['Check whether this version can take over the log', 'signalbox replay check'],
  ],
  add: (command, terminal) =>
    withSource(command)
      .option('--to <moment>', 'the moment (default: now)')
      .option('--project <id>', 'only this project (default: all; for --task: default)')
      .option('--task <id>', 'one task with its attempts, outputs and comments')
      .option('--events', 'with --task: show all events, too')
      .option('--full', 'with --task: do not shorten outputs')
      .option('--limit <number>', 'list at most this many tasks (default: 100; with --json: all)', numberOf)
      .addOption(
        new Option('--diff <moments...>', 'show changes between two moments: --diff A B').conflicts('to'),
      )
      .action(async (options: ReplayOptions) => {
        const { showReplay } = await import('./show.ts');
        await showReplay(terminal, options);
      }),
  commands: [check],
};
