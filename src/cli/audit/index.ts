import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addAuditExport } from './export.ts';
import { addAuditKeys } from './keys.ts';
import { addAuditRedact } from './redact.ts';
import { addAuditReport } from './report.ts';
import { addAuditStatus } from './status.ts';
import { addAuditVerify } from './verify.ts';

/** Proofs of what was, and what must not be shown any more. */
export function addAuditCommands(program: Command, terminal: Terminal): void {
  const audit = program.command('audit').description('verify, export, report and redact the event log');
  addAuditVerify(audit, terminal);
  addAuditStatus(audit, terminal);
  addAuditExport(audit, terminal);
  addAuditReport(audit, terminal);
  addAuditRedact(audit, terminal);
  addAuditKeys(audit, terminal);
  audit.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox audit verify\n  $ signalbox audit report T-12 --output T-12.html\n\n${exitCodesText()}`,
  );
}
