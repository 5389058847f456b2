import type { Command } from 'commander';
import { exitCodesText } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { addTaskAdd } from './add.ts';
import { addTaskComment } from './comment.ts';
import { addTaskDecisions } from './decisions.ts';
import { addTaskLs } from './ls.ts';
import { addTaskShow } from './show.ts';
import { addTaskWatch } from './watch.ts';
import { addTaskWhy } from './why.ts';

/** The commands that speak to a running Signalbox about its tasks. */
export function addTaskCommands(program: Command, terminal: Terminal): void {
  const task = program.command('task').description('create, list, show, watch, explain and decide tasks');
  addTaskAdd(task, terminal);
  addTaskLs(task, terminal);
  addTaskShow(task, terminal);
  addTaskWatch(task, terminal);
  addTaskWhy(task, terminal);
  addTaskDecisions(task, terminal);
  addTaskComment(task, terminal);
  task.addHelpText(
    'after',
    `\nExamples:\n  $ signalbox task add "Say hello" --agent greeter\n  $ signalbox task ls --status review\n\n${exitCodesText()}`,
  );
}
