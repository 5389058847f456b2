import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { type CommandTable, complete } from './complete.ts';
import type { Completion } from './completion.ts';

/** For each there is a file in `scripts/`, which asks `signalbox __complete` what can stand at the cursor. */
const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `signalbox completion SHELL` */
export function addCompletion(program: Command, terminal: Terminal): void {
  const command = program
    .command('completion')
    .summary('print a script that completes commands in your shell')
    .description(
      'Prints a script with which the shell completes commands, options and their values; the ids of tasks and agents ' +
        'too, where a Signalbox answers at --url, SIGNALBOX_URL or the default address.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) =>
      terminal.write(readFileSync(new URL(`scripts/signalbox.${shell}`, import.meta.url), 'utf8')),
    );
  withExamples(command, [
    ['bash: in this shell, or in every one by ~/.bashrc', 'source <(signalbox completion bash)'],
    ['zsh: the same, in ~/.zshrc after compinit', 'source <(signalbox completion zsh)'],
    ['fish', 'signalbox completion fish > ~/.config/fish/completions/signalbox.fish'],
  ]);
}

/**
 * What the scripts call, with the words up to the cursor. The first line of the answer says what the shell is to offer
 * (`words`, `files` or `directories`), each further one is a word, and after a tab what it is.
 */
export function addComplete(program: Command, terminal: Terminal, name: string, table: CommandTable): void {
  program
    .command(name, { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      // Who presses a key wants no error in the middle of the line.
      const completion = await complete(table, words).catch(() => null);
      if (completion !== null) terminal.write(textOf(completion));
    });
}

function textOf(completion: Completion): string {
  const candidates = completion.kind === 'words' ? completion.candidates : [];
  const lines = candidates.map(({ text, about }) => (about === '' ? text : `${text}\t${about}`));
  return [completion.kind, ...lines].map((line) => `${line}\n`).join('');
}
