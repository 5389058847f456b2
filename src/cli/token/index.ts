import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addTokenLs } from './ls.ts';
import { addTokenNew } from './new.ts';
import { addTokenRevoke } from './revoke.ts';

/** `signalbox token …`: they work on the file of this machine, whether Signalbox runs or not. */
export function addTokenCommands(program: Command, terminal: Terminal): void {
  const token = program.command('token').description('Tokens of people: who may use the HTTP API.');
  addTokenNew(token, terminal);
  addTokenLs(token, terminal);
  addTokenRevoke(token, terminal);
}
