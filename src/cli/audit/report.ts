import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn } from '../text/progress.ts';
import { type TrustOptions, withTrustOptions } from './trust-options.ts';

interface ReportOptions extends TrustOptions {
  readonly project: string;
  readonly format?: 'html' | 'md';
  readonly output?: string;
}

export function addAuditReport(audit: Command, terminal: Terminal): void {
  const command = withTrustOptions(audit.command('report'))
    .summary('write one task as a readable page')
    .description(
      'Writes what happened to a task: who, what, when, in which attempt, with which output and evidence, with the ' +
        'sequence and hash of every event. The whole log, or the bundle, is verified with it, and the page says what was ' +
        'found; then the command ends as "audit verify" does.',
    )
    .argument('<id>', 'the task')
    .addOption(new Option('--project <id>', 'its project').env('SIGNALBOX_PROJECT').default('default'))
    .addOption(
      new Option('--format <format>', 'html or md (default: by the name of the file, else html)').choices([
        'html',
        'md',
      ]),
    )
    .option('--output <file>', 'where to write it (default: standard output)')
    .action((id: string, options: ReportOptions) => report(terminal, id, options));
  withExamples(command, [
    ['A page for the browser', 'signalbox audit report T-12 --output T-12.html'],
    ['From a bundle', 'signalbox audit report T-12 --project demo --bundle june.ndjson --format md'],
  ]);
}

async function report(terminal: Terminal, id: string, options: ReportOptions): Promise<void> {
  const { readAndVerify } = await import('./read.ts');
  const { TaskCollector } = await import('../../features/audit/report/task-report.ts');
  const { output, project } = options;
  const collector = new TaskCollector({ project, task: id });
  using progress = progressOn(terminal, 'read');
  const { verification, source } = await readAndVerify(options, {
    onFinding: () => {},
    onRecord: (record, hash) => collector.add(record, hash),
    progress,
  });
  progress.clear();
  const gathered = collector.report({ verification, source, created: Date.now() });
  const format = options.format ?? (output?.endsWith('.md') ? 'md' : 'html');
  const text =
    format === 'md'
      ? (await import('../../features/audit/report/markdown.ts')).markdownReport(gathered)
      : (await import('../../features/audit/report/html.ts')).htmlReport(gathered);
  if (output === undefined) terminal.write(text);
  else await write(output, text);
  const { findings } = verification;
  if (findings === 0) return;
  terminal.note(
    `signalbox: ${findings} ${findings === 1 ? 'thing is' : 'things are'} wrong with ${source}: see "audit verify"`,
  );
  terminal.exitCode = EXIT_CODES.failure.code;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new SignalboxError('invalid_request', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
