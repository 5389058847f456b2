import type { Command } from 'commander';
import type { AuditStatusAnswer, VerificationAnswer } from '../../contracts/api/audit-status.ts';
import { clientOf, type ServerOptions, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';

export function addAuditStatus(audit: Command, terminal: Terminal): void {
  const command = withServerOptions(audit.command('status'))
    .summary('how far the log is signed, and the newest verification')
    .description(
      'Shows the end of the log with its hash, how far the newest checkpoint goes, and what the newest verification ' +
        'that this Signalbox was asked for has found.',
    )
    .action(async (options: ServerOptions) => {
      const status = await clientOf(options).readAuditStatus();
      if (options.json) terminal.print(JSON.stringify(status, null, 2));
      else for (const line of statusLines(terminal, status)) terminal.print(line);
    });
  withExamples(command, [['Of the Signalbox that runs here', 'signalbox audit status']]);
}

function statusLines(terminal: Terminal, status: AuditStatusAnswer): string[] {
  const { sequence, head_sha256: hash, keys, checkpoint, unsigned_events: unsigned, verification } = status;
  const dim = (label: string): string => terminal.style('dim', label.padEnd(12));
  return [
    `${dim('events')}${sequence}`,
    `${dim('hash')}${hash}`,
    `${dim('keys')}${keys}`,
    checkpoint === null
      ? `${dim('checkpoint')}none: only the hash chain speaks for these events`
      : `${dim('checkpoint')}up to event ${checkpoint.sequence}, at ${checkpoint.time}; the ${unsigned} after it are held by the hash chain only`,
    `${dim('verified')}${verification === null ? 'not since Signalbox was started' : verificationText(terminal, verification)}`,
  ];
}

function verificationText(terminal: Terminal, verification: VerificationAnswer): string {
  const { state, by, checked, total, started_at: started, ended_at: ended, finding } = verification;
  const who = printable(by);
  switch (state) {
    case 'running':
      return `${checked} of ${total} events so far, for ${who}, since ${started}`;
    case 'passed':
      return terminal.style('green', `nothing is wrong with ${checked} events, at ${ended}, for ${who}`);
    case 'failed': {
      const where = finding?.sequence ? `event ${finding.sequence}: ` : '';
      return terminal.style('red', `${where}${printable(finding?.message ?? '')} (at ${ended}, for ${who})`);
    }
  }
}
