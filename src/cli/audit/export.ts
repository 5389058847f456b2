import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { LogPosition } from '../../features/audit/export-bundle.ts';
import { withExamples } from '../help.ts';
import { type LogOptions, withLogOptions } from '../log/log-options.ts';
import type { Terminal } from '../terminal.ts';

export interface ExportOptions extends LogOptions {
  readonly project?: string;
  readonly task?: string;
  readonly from?: LogPosition;
  readonly to?: LogPosition;
  readonly output?: string;
}

export function addAuditExport(audit: Command, terminal: Terminal): void {
  const command = withLogOptions(audit.command('export'))
    .summary('write a part of the log to a file that others can verify')
    .description(
      'Writes a bundle: the events with their exact bytes, the hashes of those around them, checkpoints and public keys. ' +
        'docs/reference/audit.md describes it, and examples/verify-bundle verifies it without Signalbox.',
    )
    .option('--project <id>', 'only events of this project')
    .option('--task <id>', 'only events of this task (of the project "default", if none is named)')
    .option('--from <place>', 'the first event: a sequence, or a time such as 2026-03-01T14:03:00Z', placeOf)
    .option('--to <place>', 'the last event, in the same way', placeOf)
    .option('--output <file>', 'where to write it (default: standard output); it must not be there yet')
    .action(async (options: ExportOptions) => {
      const { exportToFile } = await import('./export-file.ts');
      await exportToFile(terminal, options);
    });
  withExamples(command, [
    ['Everything', 'signalbox audit export --output all.ndjson'],
    ['One task', 'signalbox audit export --project demo --task T-12 --output T-12.ndjson'],
    ['A month', 'signalbox audit export --from 2026-06-01T00:00:00Z --to 2026-06-30T23:59:59Z > june.ndjson'],
  ]);
}

function placeOf(text: string): LogPosition {
  if (/^\d+$/.test(text)) return { sequence: Number(text) };
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time)) return { time };
  throw new InvalidArgumentError('Expected a sequence, or a time such as 2026-03-01T14:03:00Z.');
}
