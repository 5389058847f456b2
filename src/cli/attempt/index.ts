import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addAttemptKill } from './kill.ts';
import { addAttemptLogs } from './logs.ts';
import { addAttemptLs } from './ls.ts';

/** The commands about the attempts of a task. */
export function addAttemptCommands(program: Command, terminal: Terminal): void {
  const attempt = program.command('attempt').description('list attempts, read what they print, kill one');
  addAttemptLs(attempt, terminal);
  addAttemptLogs(attempt, terminal);
  addAttemptKill(attempt, terminal);
  attempt.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox attempt ls k3v9x2m1q8zt\n  $ signalbox attempt logs k3v9x2m1q8zt -f\n\n${exitCodesText()}`,
  );
}
