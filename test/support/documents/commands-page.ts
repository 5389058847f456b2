/** docs/reference/commands.md, from the commands themselves. */
import type { Command, Option } from 'commander';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { cell, table } from './markdown.ts';

const HEAD = `# Commands

Here you find every command of \`signalbox\` with its options. Written from the program by \`npm run docs\`; do not edit.

Each command has \`--help\` with examples. \`--json\` prints JSON for programs. The shell completes commands, options, values and ids
after \`source <(signalbox completion bash)\` (or \`zsh\`; for fish see \`signalbox completion --help\`).
`;

/** An option that is the same in this many commands is listed once. */
const COMMON = 8;

export function commandsPage(program: Command): string {
  const visible = program.createHelp().visibleCommands(program);
  const groups = visible.filter((each) => each.name() !== 'help');
  const leaves = groups.flatMap((group) => leavesOf(group, [group.name()]));
  const uses = new Map<string, number>();
  for (const { command } of leaves) for (const option of optionsOf(command)) count(uses, rowOf(option));
  const common = [...uses].filter(([, count]) => count >= COMMON).map(([row]) => row);
  const summary = leaves.map(({ title, command }) => [
    `[\`${title}\`](#${anchorOf(title)})`,
    firstSentence(descriptionOf(command)),
  ]);
  const exits = Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]);
  return [
    HEAD,
    table(['command', 'what it does'], summary),
    '## Exit codes\n',
    table(['code', 'meaning'], exits),
    '## Common options\n',
    'Many commands have these. The sections below list only the others.\n',
    ['| option | meaning |', '| --- | --- |', ...common, ''].join('\n'),
    ...leaves.map(({ title, command }) => sectionOf(title, command, common)),
  ].join('\n');
}

interface Leaf {
  readonly title: string;
  readonly command: Command;
}

/** Commands that do something: groups only hold others. `replay` does, and holds another. */
function leavesOf(command: Command, path: readonly string[]): Leaf[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  const below = children.flatMap((child) => leavesOf(child, [...path, child.name()]));
  const own =
    children.length === 0 || optionsOf(command).length > 0 ? [{ title: path.join(' '), command }] : [];
  return [...own, ...below];
}

function sectionOf(title: string, command: Command, common: readonly string[]): string {
  const operands = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const rows = optionsOf(command)
    .map(rowOf)
    .filter((row) => !common.includes(row));
  const options = rows.length > 0 ? ['', '| option | meaning |', '| --- | --- |', ...rows] : [];
  const usage = ['signalbox', title, ...operands].join(' ');
  return [`## ${title}\n`, `\`${usage}\`\n`, sentence(descriptionOf(command)), ...options, ''].join('\n');
}

function rowOf({ flags, description, envVar, defaultValue, argChoices }: Option): string {
  const notes = [
    argChoices ? `one of ${argChoices.join(', ')}` : '',
    // The name of the user and the machine differ; lists are empty by default.
    typeof defaultValue === 'string' && flags !== '--by <name>' ? `default \`${defaultValue}\`` : '',
    envVar ? `\`${envVar}\`` : '',
  ].filter((note) => note !== '');
  const text = notes.length > 0 ? `${description} (${notes.join('; ')})` : description;
  return `| \`${cell(flags)}\` | ${cell(text)} |`;
}

function descriptionOf(command: Command): string {
  return command.description() || command.summary();
}

function count(uses: Map<string, number>, row: string): void {
  uses.set(row, (uses.get(row) ?? 0) + 1);
}

function anchorOf(title: string): string {
  return title.replaceAll(' ', '-');
}

function firstSentence(text: string): string {
  return sentence(text.split(/(?<=\.)\s/)[0] ?? '');
}

function sentence(text: string): string {
  const full = text.endsWith('.') ? text : `${text}.`;
  return full.charAt(0).toUpperCase() + full.slice(1);
}

/** As in the help: without those that are only still understood. */
function optionsOf(command: Command): Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}
