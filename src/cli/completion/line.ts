/** What stands on a command line that is not finished: which command it names, and what its last word is to become. */
import type { Command, Option } from 'commander';

/** What the word at the cursor is to become. */
export type Open =
  | { readonly kind: 'option' }
  /** `before` is what stands before the value in the same word: `--state=`, or nothing. */
  | { readonly kind: 'value'; readonly option: Option; readonly before: string }
  | { readonly kind: 'operand' };

export interface Line {
  readonly command: Command;
  readonly operands: readonly string[];
  /** Values that options were given on the line, by the option's name as in `--project`. */
  readonly values: ReadonlyMap<string, string>;
  readonly open: Open;
}

/**
 * Reads the words after the program's name, as commander would: options may stand anywhere before `--`, and those of a
 * group are valid after its commands too.
 * @param words those before the one at the cursor
 * @param last the one at the cursor, as far as it is written
 */
export function readLine(program: Command, words: readonly string[], last: string): Line {
  let command = program;
  let wanting: Option | null = null;
  let isOptionsEnd = false;
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (const word of words) {
    if (wanting !== null && takes(wanting, word)) {
      values.set(nameOf(wanting), word);
      wanting = null;
      continue;
    }
    wanting = null;
    if (isOptionsEnd || !word.startsWith('-') || word === '-') {
      const named: Command | undefined = operands.length === 0 ? subcommandOf(command, word) : undefined;
      if (named) command = named;
      // "signalbox help task" goes on as "signalbox task".
      else if (word !== 'help' || command.commands.length === 0) operands.push(word);
    } else if (word === '--') {
      isOptionsEnd = true;
    } else {
      const [name = '', ...value] = word.split('=');
      const option = optionOf(command, name);
      if (option === undefined || !takesValue(option)) continue;
      if (value.length > 0) values.set(nameOf(option), value.join('='));
      else wanting = option;
    }
  }
  return { command, operands, values, open: openIn(command, wanting, isOptionsEnd, last) };
}

/** The names that lead to a command, without that of the program: `task show`. */
export function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}

export function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function openIn(command: Command, wanting: Option | null, isOptionsEnd: boolean, last: string): Open {
  if (wanting !== null && takes(wanting, last)) return { kind: 'value', option: wanting, before: '' };
  if (isOptionsEnd || !last.startsWith('-')) return { kind: 'operand' };
  const name = /^(--[^=]+)=/.exec(last)?.[1];
  const option = name === undefined ? undefined : optionOf(command, name);
  return option && takesValue(option) ? { kind: 'value', option, before: `${name}=` } : { kind: 'option' };
}

/** What must have a value takes any word; what may have one takes none that looks like an option. */
function takes({ required }: Option, word: string): boolean {
  return required || !word.startsWith('-');
}

function subcommandOf({ commands }: Command, name: string): Command | undefined {
  return commands.find((each) => each.name() === name || each.aliases().includes(name));
}

function optionOf(command: Command, name: string): Option | undefined {
  const own = command.options.find(({ long, short }) => long === name || short === name);
  return own ?? (command.parent === null ? undefined : optionOf(command.parent, name));
}

function nameOf({ long, flags }: Option): string {
  return long ?? flags;
}
