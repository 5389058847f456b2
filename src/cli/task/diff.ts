/** `signalbox task diff`: what a task has changed in its workspace. */
import { printable } from '../../base/text/printable.ts';
import type { DiffAnswer } from '../../contracts/workspace-api.ts';
import { numberOf, taskArgument } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { type ClientOptions, clientOf, withProject } from '../options.ts';
import { countText, printAnswer } from '../output.ts';
import type { Style, Terminal } from '../terminal.ts';

interface DiffOptions extends ClientOptions {
  readonly attempt?: number;
  readonly stat?: true;
}

const LINE_STYLES: Readonly<Record<string, Style>> = { '+': 'green', '-': 'red', '@': 'cyan' };

export const diff: CommandRow = {
  name: 'diff',
  summary: 'show what a task has changed in its workspace',
  description:
    'Shows the newest diff of a task, by file: everything that differs from its base, whether it is committed or not.',
  examples: [
    ['Show the changes of a task', 'signalbox task diff k3v9x2m1q8zt'],
    ['Only the files', 'signalbox task diff k3v9x2m1q8zt --stat'],
  ],
  add: (command, terminal) =>
    withProject(command)
      .addArgument(taskArgument())
      .option('--attempt <number>', 'the newest diff of this attempt', numberOf)
      .option('--stat', 'only the files, with the numbers of changed lines')
      .action(async (task: string, options: DiffOptions) => {
        const { project, attempt, stat = false } = options;
        const answer = await clientOf(options).readDiff({ project, task, attempt });
        printAnswer(terminal, options, answer, () => linesOf(terminal, answer, stat));
      }),
};

function linesOf(terminal: Terminal, answer: DiffAnswer, isStat: boolean): string[] {
  const { files, file_count, insertions, deletions, notes, base, commit } = answer;
  const numbers = `${insertions} lines added, ${deletions} removed`;
  return [
    `${countText(file_count, 'file')} changed, ${numbers} (${base.slice(0, 12)}..${commit.slice(0, 12)})`,
    ...notes.map((note) => printable(note)),
    ...files.flatMap((file) => fileLines(terminal, file, isStat)),
  ];
}

function fileLines(
  terminal: Terminal,
  { path, old_path, change, insertions, deletions, binary, patch }: DiffAnswer['files'][number],
  isStat: boolean,
): string[] {
  const name = printable(old_path === null ? path : `${old_path} → ${path}`);
  const numbers = binary ? 'binary' : `+${insertions} -${deletions}`;
  const head = `${terminal.style('bold', name)} (${change}, ${numbers})`;
  if (isStat || patch === '') return [head];
  const lines = patch.split('\n').map((line) => {
    const style = LINE_STYLES[line[0] ?? ''];
    return style ? terminal.style(style, printable(line)) : printable(line);
  });
  return ['', head, ...lines];
}
