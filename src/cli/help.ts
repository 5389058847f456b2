/** What the help of every command ends with. */
import type { Command } from 'commander';
import { exitCodesText } from './exit-codes.ts';

/** Adds examples, each with what it does, and the exit codes. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const lines = examples.flatMap(([what, line]) => [`  # ${what}`, `  $ ${line}`]);
  return command.addHelpText('after', `\n${['Examples:', ...lines, '', exitCodesText()].join('\n')}`);
}
