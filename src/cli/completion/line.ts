/** Parses an unfinished command line: the command, and what kind of word is at the cursor. */
import type { Command, Option } from 'commander';

/** A word that the shell offers. */
export interface Candidate {
  readonly text: string;
  /** A short description; may be empty. */
  readonly about: string;
}

/** Completions: words, or files or directories, which the shell lists itself. */
export type Completion =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'directories' };

export function plainWords(words: readonly string[]): Completion {
  return { kind: 'words', candidates: words.map((text) => ({ text, about: '' })) };
}

/** The kind of the word at the cursor. */
export type Open =
  | { readonly kind: 'option' }
  /** `before` precedes the value in the same word: `--status=`, or nothing. */
  | { readonly kind: 'value'; readonly option: Option; readonly before: string }
  | { readonly kind: 'operand' };

export interface Line {
  readonly command: Command;
  readonly operands: readonly string[];
  /** Values of options on the line, by long name, such as `--project`. */
  readonly values: ReadonlyMap<string, string>;
  readonly open: Open;
}

/** The command that a line names; null if it names none. Options before the command have no values. */
export function commandName(words: readonly string[]): string | null {
  return words.find((word) => !word.startsWith('-')) ?? null;
}

/**
 * Parses the words after the program's name as commander does: options may be anywhere before `--`, and options of a
 * group are also valid after its commands.
 * @param words before the word at the cursor
 * @param last the word at the cursor, as typed so far
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
      // "signalbox help task" is completed like "signalbox task".
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

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function openIn(command: Command, wanting: Option | null, isOptionsEnd: boolean, last: string): Open {
  if (wanting !== null && takes(wanting, last)) return { kind: 'value', option: wanting, before: '' };
  if (isOptionsEnd || !last.startsWith('-')) return { kind: 'operand' };
  const name = /^(--[^=]+)=/.exec(last)?.[1];
  const option = name === undefined ? undefined : optionOf(command, name);
  return option && takesValue(option) ? { kind: 'value', option, before: `${name}=` } : { kind: 'option' };
}

/** A required value is any word; an optional value does not start with `-`. */
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
