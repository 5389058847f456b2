import type { Command } from 'commander';
import { append } from '../arguments.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export interface UsersOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly out?: string;
  readonly agent?: readonly string[];
  readonly observer?: readonly string[];
  readonly operator?: readonly string[];
  readonly password?: readonly string[];
  readonly renew?: readonly string[];
  readonly json?: true;
}

export function addNatsCommands(program: Command, terminal: Terminal): void {
  const nats = program.command('nats').description('The NATS server: who may do what.');
  const users = nats
    .command('users')
    .summary('make credentials for agents, observers and operators')
    .description(
      'Makes a user for every remote agent of the configuration, and for the observers and operators that are named: a ' +
        'file with the seed of an nkey for each, and the permissions for the server. Users that are there already stay as ' +
        "they are. Without --out they are for Signalbox's own NATS server, from its next start on; with --out, for yours: " +
        'the directory then has a user for Signalbox, too, and users.conf to be included in the account.',
    )
    .option('--config <file>', 'the configuration (default: signalbox.config.yaml here, if there is one)')
    .option('--data-dir <directory>', 'where Signalbox keeps its data (env: SIGNALBOX_DATA_DIR)')
    .option('--out <directory>', 'where to write, for a server of your own')
    .option('--agent <id>', 'an agent that the configuration does not have; repeatable', append)
    .option('--observer <name>', 'who may read events; repeatable', append)
    .option('--operator <name>', 'who may read events and give commands; repeatable', append)
    .option('--password <name>', 'one of them that cannot sign: gets a password; repeatable', append)
    .option('--renew <name>', 'a user that gets new credentials; repeatable', append)
    .option('--json', 'print JSON for programs')
    .action(async (options: UsersOptions) => {
      const { makeUsers } = await import('./make-users.ts');
      await makeUsers(terminal, options);
    });
  withExamples(users, [
    ['For the remote agents of this configuration', 'signalbox nats users'],
    [
      'For a server of your own, with somebody who may watch',
      'signalbox nats users --out nats-users --observer watcher',
    ],
    ['When a seed has been seen by others', 'signalbox nats users --renew builder'],
  ]);
}
