import type { Command } from 'commander';
import type { SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { numberOf } from '../arguments.ts';
import { type ClientOptions, clientOf, userName, withClientOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

interface KillOptions extends ClientOptions {
  readonly by: string;
}

export function addAttemptKill(attempt: Command, terminal: Terminal): void {
  const command = withClientOptions(attempt.command('kill'))
    .summary('kill an attempt')
    .description(
      'Ends the processes of an attempt, by force after the grace of its agent. The task is tried again while attempts ' +
        'are left: to end the task itself, use "task cancel".',
    )
    .argument('<task>', 'the task')
    .argument('[attempt]', 'its number (default: the one that is open)', numberOf)
    .option('--by <name>', 'who decides', userName())
    .action((id: string, number: number | undefined, options: KillOptions) =>
      kill(terminal, id, number, options),
    );
  withExamples(command, [['This run leads nowhere', 'signalbox attempt kill k3v9x2m1q8zt']]);
}

async function kill(
  terminal: Terminal,
  id: string,
  given: number | undefined,
  { by, project, ...options }: KillOptions,
): Promise<void> {
  const client = clientOf(options);
  const number = given ?? (await openOf(client, project, id));
  const attempt = await client.killAttempt({ project, task: id, attempt: number, by });
  if (options.json) terminal.print(JSON.stringify(attempt, null, 2));
  else
    terminal.print(`attempt ${attempt.attempt} of task ${id} by agent ${attempt.agent} is ${attempt.status}`);
}

async function openOf(client: SignalboxClient, project: string, id: string): Promise<number> {
  const { open_attempt: number, status } = await client.readTask({ project, task: id });
  if (number !== null) return number;
  throw new SignalboxError('illegal_transition', `task ${id} is ${status} and has no open attempt`);
}
