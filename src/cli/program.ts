/**
 * The table of all commands. Only the command that runs is loaded, and parts of the server only when it runs: listing
 * tasks does not load a web server and a NATS client.
 */
import { Command } from 'commander';
import { closest } from '../config/closest.ts';
import { VERSION } from '../version.ts';
import { addCommand, type CommandRow, withExamples } from './command.ts';
import { commandName } from './completion/line.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** A topic of the help: `signalbox help exit-codes`. */
const exitCodes: CommandRow = {
  name: 'exit-codes',
  description: [
    'Every command ends with one of these exit codes:\n',
    ...Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(5)}${meaning}`),
  ].join('\n'),
  isHidden: true,
  add: (command) => command.action(() => command.help()),
};

const COMMANDS: ReadonlyMap<string, () => Promise<CommandRow>> = new Map([
  ['init', async () => (await import('./commands/init.ts')).init],
  ['up', async () => (await import('./up/index.ts')).up],
  ['demo', async () => (await import('./demo/index.ts')).demo],
  ['doctor', async () => (await import('./doctor/index.ts')).doctor],
  ['task', async () => (await import('./task/index.ts')).task],
  ['attempt', async () => (await import('./commands/attempt.ts')).attempt],
  ['agent', async () => (await import('./commands/agent.ts')).agent],
  ['dlq', async () => (await import('./commands/dlq.ts')).dlq],
  ['queue', async () => (await import('./commands/queue.ts')).queue],
  ['workspace', async () => (await import('./commands/workspace.ts')).workspace],
  ['template', async () => (await import('./commands/template.ts')).template],
  ['schedule', async () => (await import('./schedule/index.ts')).schedule],
  ['budget', async () => (await import('./commands/budget.ts')).budget],
  ['usage', async () => (await import('./commands/usage.ts')).usage],
  ['question', async () => (await import('./commands/question.ts')).question],
  ['ask', async () => (await import('./commands/ask.ts')).askRow],
  ['events', async () => (await import('./events/index.ts')).events],
  ['webhook', async () => (await import('./commands/webhook.ts')).webhook],
  ['bg', async () => (await import('./commands/bg.ts')).bg],
  ['mcp', async () => (await import('./commands/mcp.ts')).mcp],
  ['ps', async () => (await import('./commands/ps.ts')).ps],
  ['driver', async () => (await import('./driver/index.ts')).driver],
  ['nats', async () => (await import('./nats/index.ts')).nats],
  ['worker', async () => (await import('./worker/index.ts')).worker],
  ['audit', async () => (await import('./audit/index.ts')).audit],
  ['replay', async () => (await import('./replay/index.ts')).replay],
  ['rebuild', async () => (await import('./rebuild/index.ts')).rebuild],
  ['token', async () => (await import('./commands/token.ts')).token],
  ['config', async () => (await import('./commands/config.ts')).config],
  ['completion', async () => (await import('./completion/index.ts')).completion],
  [exitCodes.name, async () => exitCodes],
  ['__complete', completeCommand],
]);
const VERSION_OPTIONS: ReadonlySet<string> = new Set(['--version', '-V']);
const HIDDEN = new Set([exitCodes.name, '__complete']);

/** The completion scripts call it; it offers the commands of this table. */
async function completeCommand(): Promise<CommandRow> {
  const { completeRow } = await import('./completion/index.ts');
  return completeRow('__complete', (terminal) => ({
    names: [...COMMANDS.keys()].filter((name) => !HIDDEN.has(name)),
    load: async (name) => {
      const load = name === null ? undefined : COMMANDS.get(name);
      return programWith(terminal, load ? [await load()] : []);
    },
  }));
}

/** Runs a command to its end. @returns the exit code */
export async function runProgram(
  terminal: Terminal,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const program = await createProgram(terminal, args);
  try {
    await program.parseAsync(args, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    const { debug } = program.opts<{ readonly debug?: true }>();
    return reportFailure(terminal, error, debug === true || Boolean(env.SIGNALBOX_DEBUG));
  }
}

/** The program with the command that the arguments name, or with all commands if they name none, as for the help. */
export async function createProgram(terminal: Terminal, args: readonly string[]): Promise<Command> {
  const load = COMMANDS.get(commandName(args) ?? '');
  // The version needs no command, and the help all of them.
  const others = VERSION_OPTIONS.has(args[0] ?? '') ? [] : [...COMMANDS.values()];
  const rows = (load ? [load] : others).map((each) => each());
  return programWith(terminal, await Promise.all(rows));
}

/** Words that people try, and the commands that do it. */
const KNOWN_AS: Readonly<Record<string, readonly string[]>> = {
  list: ['task ls'],
  log: ['attempt logs'],
  start: ['up'],
  run: ['up', 'task add'],
  serve: ['up'],
  status: ['task ls', 'agent ls', 'doctor'],
  create: ['task add'],
  new: ['task add'],
};

/** The commands that the word may mean: subcommands of that name, and names that are spelt alike. */
function suggestionFor(name: string, rows: readonly CommandRow[]): string {
  const inGroups = rows.flatMap((row) =>
    (row.commands ?? []).filter((each) => each.name === name).map((each) => `${row.name} ${each.name}`),
  );
  const names = rows.filter(({ isHidden }) => !isHidden).map((row) => row.name);
  const alike = closest(name, names);
  const meant = KNOWN_AS[name] ?? (inGroups.length > 0 ? inGroups : alike === undefined ? [] : [alike]);
  if (meant.length === 0) return '\nSee "signalbox --help".';
  return `\n(Did you mean ${meant.map((each) => `"signalbox ${each}"`).join(' or ')}?)`;
}

function programWith(terminal: Terminal, rows: readonly CommandRow[]): Command {
  const program = new Command('signalbox')
    .description(
      'Supervises AI agents: assigns tasks, watches attempts, kills agents that hang, retries, asks for reviews, and ' +
        'keeps every event in a log.',
    )
    .version(VERSION)
    .option('--debug', 'print the stack trace of an error (env: SIGNALBOX_DEBUG)')
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'signalbox: ')),
    })
    .exitOverride();
  for (const row of rows) addCommand(program, row, terminal);
  program.on('command:*', ([name = '']: string[]) => {
    program.error(`error: unknown command '${name}'${suggestionFor(name, rows)}`, {
      code: 'commander.unknownCommand',
    });
  });
  return withExamples(program, [
    ['See it work, with agents that need no model and no API key', 'signalbox demo'],
    ['Write a configuration with the agents of this machine', 'signalbox init'],
    ['Run Signalbox with signalbox.config.yaml in this directory', 'signalbox up'],
    ['Create a task and wait for the result', 'signalbox task add "Review" --agent reviewer --wait'],
  ]);
}
