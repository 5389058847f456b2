/** Commands as data: what the help says, and what the command does. A group is a command with a table of commands. */
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

/** What the line does, and the line. */
export type Example = readonly [what: string, line: string];

export interface CommandRow {
  readonly name: string;
  /** One line for the list of commands; the description if absent. */
  readonly summary?: string;
  readonly description: string;
  readonly examples?: readonly Example[];
  /** Not shown in the list of commands. */
  readonly isHidden?: true;
  /** Adds arguments and options, and what runs; absent for a group. */
  readonly add?: (command: Command, terminal: Terminal) => void;
  readonly commands?: readonly CommandRow[];
}

export function addCommand(parent: Command, row: CommandRow, terminal: Terminal): void {
  const command = parent.command(row.name, { hidden: row.isHidden === true }).description(row.description);
  if (row.summary !== undefined) command.summary(row.summary);
  row.add?.(command, terminal);
  for (const each of row.commands ?? []) addCommand(command, each, terminal);
  withExamples(command, row.examples ?? []);
}

/** Ends the help of a command with its examples, and with where exit codes are explained. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  const lines = examples.flatMap(([what, line]) => [`  # ${what}`, `  $ ${line}`]);
  const blocks = [
    ...(lines.length === 0 ? [] : [['Examples:', ...lines].join('\n')]),
    'Exit codes: "signalbox help exit-codes"',
  ];
  return command.addHelpText('after', `\n${blocks.join('\n\n')}`);
}
