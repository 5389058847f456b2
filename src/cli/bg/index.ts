import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addBgCheck } from './check.ts';
import { addBgDrain } from './drain.ts';
import { addBgKill } from './kill.ts';
import { addBgRun } from './run.ts';

/** `signalbox bg …` */
export function addBgCommands(program: Command, terminal: Terminal): void {
  const bg = program
    .command('bg')
    .description('Shell commands in the background: supervised, recorded, and fetched when they are over.');
  addBgRun(bg, terminal);
  addBgCheck(bg, terminal);
  addBgDrain(bg, terminal);
  addBgKill(bg, terminal);
}
