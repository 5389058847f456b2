/**
 * Completes the word at the cursor.
 *
 * Only the command group that the line names is loaded. Signalbox gets at most one request, with a short time limit,
 * and only for values that only it has.
 */
import type { Command } from 'commander';
import { unreachable } from '../../contracts/errors.ts';
import { type Completion, commandName, type Line, plainWords, readLine } from './line.ts';

/** The commands of the program, loaded one by one. */
export interface CommandTable {
  readonly names: readonly string[];
  /** The program with this command; without commands for null or an unknown name. */
  readonly load: (name: string | null) => Promise<Command>;
}

/**
 * @param words after the program's name up to the cursor; the last one is unfinished and may be empty
 * @throws SignalboxError if Signalbox is asked and does not answer
 */
export async function complete(table: CommandTable, words: readonly string[]): Promise<Completion> {
  // "signalbox help task" is completed like "signalbox task".
  const before = words.slice(0, -1).filter((word, index) => index > 0 || word !== 'help');
  const last = words.at(-1) ?? '';
  const name = commandName(before);
  const line = readLine(await table.load(name), before, last);
  const completion = await offered(line, last, name === null ? [...table.names, 'help'] : []);
  if (completion.kind !== 'words') return completion;
  return { kind: 'words', candidates: completion.candidates.filter(({ text }) => text.startsWith(last)) };
}

async function offered(line: Line, last: string, names: readonly string[]): Promise<Completion> {
  const { command, operands, open } = line;
  switch (open.kind) {
    case 'option': {
      const options = command.createHelp().visibleOptions(command);
      const candidates = options.map(({ long, short, description }) => ({
        text: long ?? short ?? '',
        about: description,
      }));
      return { kind: 'words', candidates };
    }
    case 'value': {
      const { before } = open;
      const { valuesOfOption } = await import('./values.ts');
      const values = await valuesOfOption(line, open.option, last.slice(before.length));
      if (values.kind !== 'words') return values;
      const candidates = values.candidates.map(({ text, about }) => ({ text: before + text, about }));
      return { kind: 'words', candidates };
    }
    case 'operand': {
      if (operands.length === 0 && names.length > 0) return plainWords(names);
      if (operands.length === 0 && command.commands.length > 0) return subcommandsOf(command);
      const { valuesOfOperand } = await import('./values.ts');
      return valuesOfOperand(line, last);
    }
    default:
      return unreachable(open, 'offered');
  }
}

function subcommandsOf(command: Command): Completion {
  const help = command.createHelp();
  const candidates = help
    .visibleCommands(command)
    .map((each) => ({ text: each.name(), about: help.subcommandDescription(each) }));
  return { kind: 'words', candidates };
}
