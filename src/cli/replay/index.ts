import { type Command, Option } from 'commander';
import { numberOf } from '../arguments.ts';
import { withExamples } from '../help.ts';
import { type SourceOptions, withSourceOptions } from '../log/log-options.ts';
import type { Terminal } from '../terminal.ts';

export interface ReplayOptions extends SourceOptions {
  readonly to?: string;
  readonly project?: string;
  readonly task?: string;
  readonly diff?: readonly string[];
  readonly events?: true;
  readonly full?: true;
  readonly limit?: number;
}

export function addReplay(program: Command, terminal: Terminal): void {
  const replay = withSourceOptions(program.command('replay'))
    .summary('show the state as it was at any moment')
    .description(
      'Computes from the log what was known at a moment: the board, or one task whole. Only reads: nothing is started, ' +
        'written or sent. Works beside a running Signalbox, on the data of one that has stopped, and on a file.\n\n' +
        'A moment is a sequence (1234), a time (2025-01-31T14:03:00Z), or how long ago ("10m ago").',
    )
    .option('--to <moment>', 'the moment (default: now)')
    .option('--project <id>', 'only this project (default: all; for --task: default)')
    .option('--task <id>', 'one task, with attempts, outputs and comments')
    .option('--events', 'with --task: every event as well')
    .option('--full', 'with --task: contents whole')
    .option('--limit <number>', 'tasks at most (default: 100; with --json all)', numberOf)
    .addOption(
      new Option('--diff <moments...>', 'what has changed between two moments: --diff A B').conflicts('to'),
    )
    .action(async (options: ReplayOptions) => {
      const { showReplay } = await import('./show.ts');
      await showReplay(terminal, options);
    });
  withExamples(replay, [
    ['The board an hour ago', 'signalbox replay --to "1h ago"'],
    ['A task as it was known after event 1234', 'signalbox replay --to 1234 --project demo --task T-1'],
    ['What has changed since this morning', 'signalbox replay --diff 2025-01-31T08:00:00Z 1m'],
    ['Whether this version takes the whole history as it was recorded', 'signalbox replay check'],
  ]);
  addCheck(replay, terminal);
}

function addCheck(replay: Command, terminal: Terminal): void {
  const check = replay
    .command('check')
    .summary("send the whole history to this version's machines")
    .description(
      'Sends every recorded event to the machines of this version, and reports the first one that they would take otherwise. To be run with a new version before it takes over the log: it would refuse to start on such a log.',
    )
    .action(async (_: unknown, command: Command) => {
      const { checkReplay } = await import('./check.ts');
      await checkReplay(terminal, command.optsWithGlobals<SourceOptions>());
    });
  withExamples(withSourceOptions(check), [
    ['Before an upgrade, with the new version', 'signalbox replay check --data-dir /var/lib/signalbox'],
    ['A log that was written to a file', 'signalbox replay check --file history.ndjson'],
  ]);
}
