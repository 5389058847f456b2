/** `signalbox task`: creates tasks, shows them, and decides about them. */
import type { CommandRow } from '../command.ts';
import { add } from './add.ts';
import { decisions } from './decisions.ts';
import { diff } from './diff.ts';
import { edit } from './edit.ts';
import { comment, ls, show, why } from './read.ts';
import { steer } from './steer.ts';
import { watch } from './watch.ts';

export const task: CommandRow = {
  name: 'task',
  summary: 'create, edit, list, show, watch and explain tasks; approve, reject, cancel or retry one',
  description: 'Creates, lists, shows, watches and explains tasks, and records decisions about them.',
  examples: [
    ['Create a task for an agent', 'signalbox task add "Say hello" --agent greeter'],
    ['List tasks in review', 'signalbox task ls --status review'],
  ],
  commands: [add, ls, show, watch, why, diff, edit, ...decisions, comment, steer],
};
