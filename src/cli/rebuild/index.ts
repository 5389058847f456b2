/** `signalbox rebuild`: rebuilds the state from the event log. */
import { Option } from 'commander';
import type { CommandRow } from '../command.ts';
import { withAddress, withSource } from '../options.ts';
import type { RebuildOptions } from './run.ts';

export const rebuild: CommandRow = {
  name: 'rebuild',
  summary: 'rebuild the state from the log and compare it with the live state',
  description:
    'Rebuilds the whole state from the event log, and checks the hash chain and every transition. If a Signalbox runs on ' +
    'this log, compares its live state entry by entry, each at the same sequence, without stopping it.\n\n' +
    'Snapshots only make a start faster. With --drop-snapshots they are deleted after a successful rebuild, so that the ' +
    'next start reads the whole log.',
  examples: [
    ['Prove that the live state follows from the log', 'signalbox rebuild'],
    ['Print the tasks that differ, for a script', "signalbox rebuild --json | jq -r '.differences[].key'"],
    ['Make the next start read the whole log', 'signalbox rebuild --drop-snapshots'],
  ],
  add: (command, terminal) =>
    withAddress(withSource(command))
      .addOption(
        new Option(
          '--drop-snapshots',
          'delete the snapshots of the running Signalbox or of the data directory',
        ).conflicts(['file', 'bundle']),
      )
      .action(async (options: RebuildOptions) => {
        const { runRebuild } = await import('./run.ts');
        await runRebuild(terminal, options);
      }),
};
