import { type Command, Option } from 'commander';
import { type AddressOptions, withAddressOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import { type SourceOptions, withSourceOptions } from '../log/log-options.ts';
import type { Terminal } from '../terminal.ts';

export interface RebuildOptions extends SourceOptions, AddressOptions {
  readonly dropSnapshots?: true;
}

export function addRebuild(program: Command, terminal: Terminal): void {
  const command = withAddressOptions(withSourceOptions(program.command('rebuild')))
    .summary('rebuild the state from the log, and compare it with what is live')
    .description(
      'Rebuilds the whole state from the first event on, with the hash chain and every transition checked. Where a ' +
        'Signalbox runs on that log, everything that it shows is compared with it, entry by entry and at the very ' +
        'sequence, while it goes on with its work.\n\n' +
        'Snapshots only save time at a start. With --drop-snapshots they are deleted when the log was found to be whole: the ' +
        'next start reads all of it.',
    )
    .addOption(
      new Option(
        '--drop-snapshots',
        'delete the snapshots, of what is live or of the data directory',
      ).conflicts(['file', 'bundle']),
    )
    .action(async (options: RebuildOptions) => {
      const { rebuild } = await import('./run.ts');
      await rebuild(terminal, options);
    });
  withExamples(command, [
    ['Prove that what is shown is what the log says', 'signalbox rebuild'],
    ['The tasks that differ, for a script', "signalbox rebuild --json | jq -r '.differences[].key'"],
    ['Make the next start read the whole log', 'signalbox rebuild --drop-snapshots'],
  ]);
}
