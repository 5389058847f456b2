/** Verifies the log or a bundle, and reports about a task. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptView } from '../../../projections/index.ts';
import { printable } from '../../base/text/printable.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import type { AuditFinding } from '../../features/audit/log-items.ts';
import type { TaskReport } from '../../features/audit/report/task-report.ts';
import type { Verification } from '../../features/audit/verifier.ts';
import { loadConfigFor } from '../config-file.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { JsonOption, TrustOptions } from '../options.ts';
import { countText, printJson, printLines } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { progressOn } from '../text/progress.ts';
import { readAndVerify } from './read.ts';

export interface VerifyOptions extends TrustOptions, JsonOption {}

/** The most findings that are listed; all are counted. */
const MAX_LISTED = 200;

export async function verifyLog(terminal: Terminal, options: VerifyOptions): Promise<void> {
  const findings: AuditFinding[] = [];
  using progress = progressOn(terminal, 'verified');
  const onFinding = (finding: AuditFinding): void => {
    if (findings.length < MAX_LISTED) findings.push(finding);
  };
  const { verification, source } = await readAndVerify(options, { onFinding, progress });
  progress.clear();
  const { findings: count, ...summary } = verification;
  if (options.json) {
    const answer = { ok: count === 0, source, ...summary, finding_count: count, findings };
    printJson(terminal, answer);
  } else {
    printLines(
      terminal,
      findings.map((each) => lineOf(terminal, each)),
    );
    if (count > findings.length) terminal.print(`… and ${count - findings.length} more`);
    printLines(terminal, summaryLines(terminal, source, verification));
  }
  if (count > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

function lineOf(terminal: Terminal, { sequence, kind, message }: AuditFinding): string {
  const where = sequence === null ? '' : `event ${sequence}: `;
  return `${terminal.style('red', kind.padEnd(10))} ${where}${printable(message)}`;
}

function summaryLines(terminal: Terminal, source: string, verification: Verification): string[] {
  const { first, last, events, redacted, omitted, checkpoints, covered, keys, findings } = verification;
  const dim = (label: string): string => terminal.style('dim', label.padEnd(12));
  const others = [redacted > 0 ? `${redacted} redacted` : '', omitted > 0 ? `${omitted} omitted` : ''];
  const behind = last - covered;
  return [
    findings === 0
      ? terminal.style('green', `${source}: verified, no findings`)
      : terminal.style('red', `${source}: ${countText(findings, 'finding')}`),
    `${dim('events')}${[`${first} to ${last}, ${events} complete`, ...others.filter((text) => text !== '')].join(', ')}`,
    `${dim('hash')}${verification.last_hash}`,
    checkpoints === 0
      ? `${dim('checkpoints')}none: only the hash chain protects these events`
      : `${dim('checkpoints')}${checkpoints}, up to event ${covered}${behind > 0 ? `; only the hash chain protects the ${behind} events after it` : ''}`,
    ...keys.map((key, index) => `${dim(index === 0 ? 'keys' : '')}${key}`),
  ];
}

export interface ReportOptions extends TrustOptions {
  readonly project: string;
  readonly format?: 'html' | 'md';
  readonly output?: string;
}

export async function reportTask(terminal: Terminal, id: string, options: ReportOptions): Promise<void> {
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
  const collected = collector.report({ verification, source, created: Date.now() });
  const gathered = { ...collected, transcripts: await transcriptsFor(options, collected.attempts) };
  const format = options.format ?? (output?.endsWith('.md') ? 'md' : 'html');
  const text =
    format === 'md'
      ? (await import('../../features/audit/report/markdown.ts')).markdownReport(gathered)
      : (await import('../../features/audit/report/html.ts')).htmlReport(gathered);
  if (output === undefined) terminal.write(text);
  else {
    await write(output, text);
    terminal.note(`wrote ${output}`);
  }
  const { findings } = verification;
  if (findings === 0) return;
  terminal.note(
    `signalbox: ${countText(findings, 'finding')} in ${source}: run "signalbox audit verify" for details`,
  );
  terminal.exitCode = EXIT_CODES.failure.code;
}

/** A bundle is read where the files are not. */
async function transcriptsFor(
  options: ReportOptions,
  attempts: readonly AttemptView[],
): Promise<TaskReport['transcripts']> {
  if (options.bundle !== undefined) return new Map();
  const { readTranscripts } = await import('../../features/audit/report/transcripts.ts');
  const { config } = await loadConfigFor(options);
  return readTranscripts(join(config.data_dir, 'attempts'), attempts);
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (cause) {
    throw new SignalboxError('invalid_request', `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
