/**
 * All commands, by name. Only the one that is run is loaded, and those that need the server's parts load them when they
 * are run: whoever lists tasks does not wait for a web server and a NATS client to be read.
 */
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { commandName } from './command-name.ts';
import { reportFailure } from './failure.ts';
import { withExamples } from './help.ts';
import type { Terminal } from './terminal.ts';

/** Adds one command, or one group of commands. */
type AddCommand = (program: Command, terminal: Terminal) => void;

const COMPLETE = '__complete';

const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['up', async () => (await import('./up/up.ts')).addUp],
  ['demo', async () => (await import('./demo/demo.ts')).addDemo],
  ['doctor', async () => (await import('./doctor/doctor.ts')).addDoctor],
  ['task', async () => (await import('./task/index.ts')).addTaskCommands],
  ['attempt', async () => (await import('./attempt/index.ts')).addAttemptCommands],
  ['agent', async () => (await import('./agent/index.ts')).addAgentCommands],
  ['dlq', async () => (await import('./dlq/index.ts')).addDlqCommands],
  ['queue', async () => (await import('./queue/index.ts')).addQueueCommands],
  ['events', async () => (await import('./events/index.ts')).addEventCommands],
  ['webhook', async () => (await import('./webhook/index.ts')).addWebhookCommands],
  ['bg', async () => (await import('./bg/index.ts')).addBgCommands],
  ['mcp', async () => (await import('./mcp/mcp.ts')).addMcp],
  ['ps', async () => (await import('./ps.ts')).addPs],
  ['driver', async () => (await import('./driver/index.ts')).addDriverCommands],
  ['nats', async () => (await import('./nats/index.ts')).addNatsCommands],
  ['worker', async () => (await import('./worker/index.ts')).addWorker],
  ['audit', async () => (await import('./audit/index.ts')).addAuditCommands],
  ['replay', async () => (await import('./replay/index.ts')).addReplay],
  ['rebuild', async () => (await import('./rebuild/index.ts')).addRebuild],
  ['token', async () => (await import('./token/index.ts')).addTokenCommands],
  ['config', async () => (await import('./config/config.ts')).addConfig],
  ['completion', async () => (await import('./completion/index.ts')).addCompletion],
  [COMPLETE, addComplete],
]);

/** What the scripts of "completion" ask: it answers from this table, so it is given it. */
async function addComplete(): Promise<AddCommand> {
  const complete = await import('./completion/index.ts');
  return (program, terminal) =>
    complete.addComplete(program, terminal, COMPLETE, {
      names: [...COMMANDS.keys()].filter((name) => name !== COMPLETE),
      load: async (name) => {
        const load = name === null ? undefined : COMMANDS.get(name);
        return programWith(terminal, load ? [await load()] : []);
      },
    });
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

/** The command that the arguments name; all of them where they name none, as for the help. */
export async function createProgram(terminal: Terminal, args: readonly string[]): Promise<Command> {
  return programWith(terminal, await commandsFor(args));
}

function programWith(terminal: Terminal, commands: readonly AddCommand[]): Command {
  const program = new Command('signalbox')
    .description(
      'Supervises AI agents: hands them tasks, watches, kills what hangs, retries, asks for a review, keeps a log.',
    )
    .version(VERSION)
    .option('--debug', 'show where an error comes from (env: SIGNALBOX_DEBUG)')
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'signalbox: ')),
    })
    .exitOverride();
  for (const add of commands) add(program, terminal);
  return withExamples(program, [
    ['See it work, with agents that need no model and no key', 'signalbox demo'],
    ['Run it with signalbox.config.yaml of this directory', 'signalbox up'],
    ['Hand in a task, and wait for the result', 'signalbox task add "Review" --agent reviewer --wait'],
  ]);
}

function commandsFor(args: readonly string[]): Promise<AddCommand[]> {
  const load = COMMANDS.get(commandName(args) ?? '');
  return Promise.all(load ? [load()] : [...COMMANDS.values()].map((each) => each()));
}
