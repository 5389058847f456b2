/** `signalbox nats`: users of the NATS server. */
import { append } from '../arguments.ts';
import type { CommandRow } from '../command.ts';
import { withConfig, withJson } from '../options.ts';
import type { UsersOptions } from './make-users.ts';

const users: CommandRow = {
  name: 'users',
  summary: 'create credentials for agents, observers and operators',
  description:
    'Creates a NATS user for every remote agent of the configuration, and for the observers and operators given: a file ' +
    'with an nkey seed for each, and an account with the permissions for the server. Existing users stay unchanged. ' +
    "Without --out, the users are for Signalbox's own NATS server, from its next start. With --out, they are for yours: " +
    'the directory also gets a user for Signalbox, and users.conf and accounts.conf to include in its configuration. Run ' +
    'it again after an upgrade to write both files anew.',
  examples: [
    ['Create users for the remote agents of the configuration', 'signalbox nats users'],
    [
      'Create users for your own server, with an observer',
      'signalbox nats users --out nats-users --observer watcher',
    ],
    [
      'Write the files anew for a server whose account has another name',
      'signalbox nats users --out nats-users --account PROD',
    ],
    ['Replace a seed that has leaked', 'signalbox nats users --renew builder'],
  ],
  add: (command, terminal) =>
    withJson(
      withConfig(command)
        .option('--out <directory>', 'write files for a NATS server of your own')
        .option('--account <name>', 'the account with the log on a server of your own (default: SIGNALBOX)')
        .option('--agent <id>', 'an agent that is not in the configuration (repeatable)', append)
        .option('--observer <name>', 'a user that may read events (repeatable)', append)
        .option('--operator <name>', 'a user that may read events and send commands (repeatable)', append)
        .option('--password <name>', 'use a password instead of an nkey for this user (repeatable)', append)
        .option('--renew <name>', 'create new credentials for this user (repeatable)', append),
    ).action(async (options: UsersOptions) => {
      const { makeUsers } = await import('./make-users.ts');
      await makeUsers(terminal, options);
    }),
};

export const nats: CommandRow = {
  name: 'nats',
  summary: 'manage users of the NATS server',
  description: 'Manages the users of the NATS server and their permissions.',
  examples: [['Create users for the remote agents of the configuration', 'signalbox nats users']],
  commands: [users],
};
