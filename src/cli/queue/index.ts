import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addQueueDecisions } from './decisions.ts';
import { addQueueLs } from './ls.ts';

/** `signalbox queue …` */
export function addQueueCommands(program: Command, terminal: Terminal): void {
  const queue = program.command('queue').description('list, pause and resume queues: what waits for agents');
  addQueueLs(queue, terminal);
  addQueueDecisions(queue, terminal);
  queue.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox queue ls\n  $ signalbox queue pause type build --comment "the test machine is being moved"\n\n${exitCodesText()}`,
  );
}
