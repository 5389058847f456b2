/**
 * All commands, by name. Those that need the server's parts load them when they are run: whoever lists tasks does not
 * wait for a web server and a NATS client to be read.
 */
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { addAgentCommands } from './agent/index.ts';
import { addAttemptCommands } from './attempt/index.ts';
import { addAuditCommands } from './audit/index.ts';
import { addBgCommands } from './bg/index.ts';
import { addConfig } from './config/config.ts';
import { addDemo } from './demo/demo.ts';
import { addDlqCommands } from './dlq/index.ts';
import { addDoctor } from './doctor/doctor.ts';
import { addDriverCommands } from './driver/index.ts';
import { addEventCommands } from './events/index.ts';
import { reportFailure } from './failure.ts';
import { withExamples } from './help.ts';
import { addMcp } from './mcp/mcp.ts';
import { addNatsCommands } from './nats/index.ts';
import { addPs } from './ps.ts';
import { addQueueCommands } from './queue/index.ts';
import { addRebuild } from './rebuild/index.ts';
import { addReplay } from './replay/index.ts';
import { addTaskCommands } from './task/index.ts';
import type { Terminal } from './terminal.ts';
import { addTokenCommands } from './token/index.ts';
import { addUp } from './up/up.ts';
import { addWebhookCommands } from './webhook/index.ts';
import { addWorker } from './worker/index.ts';

/** Each adds one command or one group of commands. */
const COMMANDS = [
  addUp,
  addDemo,
  addDoctor,
  addTaskCommands,
  addAttemptCommands,
  addAgentCommands,
  addDlqCommands,
  addQueueCommands,
  addEventCommands,
  addWebhookCommands,
  addBgCommands,
  addMcp,
  addPs,
  addDriverCommands,
  addNatsCommands,
  addWorker,
  addAuditCommands,
  addReplay,
  addRebuild,
  addTokenCommands,
  addConfig,
] as const;

/** Runs a command to its end. @returns the exit code */
export async function runProgram(
  terminal: Terminal,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const program = createProgram(terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    const { debug } = program.opts<{ readonly debug?: true }>();
    return reportFailure(terminal, error, debug === true || Boolean(env.SIGNALBOX_DEBUG));
  }
}

export function createProgram(terminal: Terminal): Command {
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
  for (const add of COMMANDS) add(program, terminal);
  return withExamples(program, [
    ['See it work, with agents that need no model and no key', 'signalbox demo'],
    ['Run it with signalbox.config.yaml of this directory', 'signalbox up'],
    ['Hand in a task, and wait for the result', 'signalbox task add "Review" --agent reviewer --wait'],
  ]);
}
