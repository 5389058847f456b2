import type { Command } from 'commander';
import type { AuditFinding } from '../../features/audit/log-items.ts';
import type { Verification } from '../../features/audit/verifier.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';
import { progressOn } from '../text/progress.ts';
import { type TrustOptions, withTrustOptions } from './trust-options.ts';

interface VerifyOptions extends TrustOptions {
  readonly json?: true;
}

/** Findings that are listed; all are counted. */
const LISTED = 200;

export function addAuditVerify(audit: Command, terminal: Terminal): void {
  const command = withTrustOptions(audit.command('verify'))
    .summary('prove that nobody edited the log')
    .description(
      'Reads the whole log, of a Signalbox that runs or of one that does not, or a bundle of it, and checks the numbers, ' +
        'the hash chain, the ids, every transition, the signed checkpoints with their keys, the redactions, and the end ' +
        'that the data directory remembers. Ends with 0 where nothing is wrong and with 1 where something is; each finding ' +
        'names the sequence.',
    )
    .option('--json', 'print JSON for programs')
    .action((options: VerifyOptions) => verify(terminal, options));
  withExamples(command, [
    ['The log of this directory', 'signalbox audit verify'],
    [
      'A file, by a key that you have noted',
      'signalbox audit verify --bundle june.ndjson --key signalbox.pem',
    ],
  ]);
}

async function verify(terminal: Terminal, options: VerifyOptions): Promise<void> {
  const { readAndVerify } = await import('./read.ts');
  const findings: AuditFinding[] = [];
  using progress = progressOn(terminal, 'verified');
  const onFinding = (finding: AuditFinding): void => {
    if (findings.length < LISTED) findings.push(finding);
  };
  const { verification, source } = await readAndVerify(options, { onFinding, progress });
  progress.clear();
  const { findings: count, ...summary } = verification;
  if (options.json) {
    const answer = { ok: count === 0, source, ...summary, finding_count: count, findings };
    terminal.print(JSON.stringify(answer, null, 2));
  } else {
    for (const each of findings) terminal.print(lineOf(terminal, each));
    if (count > findings.length) terminal.print(`… and ${count - findings.length} more`);
    for (const line of summaryLines(terminal, source, verification)) terminal.print(line);
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
  const others = [redacted > 0 ? `${redacted} redacted` : '', omitted > 0 ? `${omitted} left out` : ''];
  const behind = last - covered;
  return [
    findings === 0
      ? terminal.style('green', `${source}: nothing is wrong with it`)
      : terminal.style('red', `${source}: ${findings} ${findings === 1 ? 'finding' : 'findings'}`),
    `${dim('events')}${[`${first} to ${last}, ${events} whole`, ...others.filter((text) => text !== '')].join(', ')}`,
    `${dim('hash')}${verification.last_hash}`,
    checkpoints === 0
      ? `${dim('checkpoints')}none: only the hash chain speaks for these events`
      : `${dim('checkpoints')}${checkpoints}, up to event ${covered}${behind > 0 ? `; the ${behind} after it are held by the hash chain only` : ''}`,
    ...keys.map((key, index) => `${dim(index === 0 ? 'keys' : '')}${key}`),
  ];
}
