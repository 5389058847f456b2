import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addDlqLs } from './ls.ts';
import { addDlqRedrive } from './redrive.ts';

/** The commands about dead letters. */
export function addDlqCommands(program: Command, terminal: Terminal): void {
  const dlq = program
    .command('dlq')
    .description('list and redrive dead letters: tasks that used up their attempts, or expired');
  addDlqLs(dlq, terminal);
  addDlqRedrive(dlq, terminal);
  dlq.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox dlq ls\n  $ signalbox dlq redrive --all --dry-run\n\n${exitCodesText()}`,
  );
}
