/** `signalbox completion`, and the hidden command that the completion scripts call. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument } from 'commander';
import { CODE_ROOT } from '../../version.ts';
import type { CommandRow } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { type CommandTable, complete } from './complete.ts';
import type { Completion } from './line.ts';

const SCRIPTS = join(CODE_ROOT, 'src/cli/completion/scripts');

/** Each has a script in `scripts/`. */
const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const completion: CommandRow = {
  name: 'completion',
  summary: 'print a completion script for your shell',
  description:
    'Prints a script with which the shell completes commands, options and their values. Ids of tasks and agents are ' +
    'completed if Signalbox answers at --url, SIGNALBOX_URL or the default address.',
  examples: [
    ['bash: for this shell, or in ~/.bashrc for all', 'source <(signalbox completion bash)'],
    ['zsh: the same; in ~/.zshrc after compinit', 'source <(signalbox completion zsh)'],
    ['fish', 'signalbox completion fish > ~/.config/fish/completions/signalbox.fish'],
  ],
  add: (command, terminal) =>
    command
      .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
      .action((shell: Shell) => terminal.write(readFileSync(join(SCRIPTS, `signalbox.${shell}`), 'utf8'))),
};

/**
 * The command that the scripts call with the words up to the cursor. The first line of its output is the kind of the
 * completion (`words`, `files` or `directories`); each further line is a word, followed by a tab and its description.
 */
export function completeRow(name: string, tableFor: (terminal: Terminal) => CommandTable): CommandRow {
  return {
    name,
    description: 'Completes a command line.',
    isHidden: true,
    add: (command, terminal) =>
      command.argument('[words...]').action(async (words: readonly string[]) => {
        // An error message in the middle of the line would disturb the user.
        const found = await complete(tableFor(terminal), words).catch(() => null);
        if (found !== null) terminal.write(textOf(found));
      }),
  };
}

function textOf(found: Completion): string {
  const candidates = found.kind === 'words' ? found.candidates : [];
  const lines = candidates.map(({ text, about }) => (about === '' ? text : `${text}\t${about}`));
  return [found.kind, ...lines].map((line) => `${line}\n`).join('');
}
