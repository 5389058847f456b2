import { type Command, Option } from 'commander';
import { SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { addToken, ROLES, type Role } from '../../operations/access/tokens-file.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { fileOf, type TokenOptions, withTokenOptions } from './options.ts';

interface NewOptions extends TokenOptions {
  readonly role: Role;
}

export function addTokenNew(token: Command, terminal: Terminal): void {
  const command = withTokenOptions(token.command('new'))
    .summary('make a token')
    .description(
      'Makes a token and prints it, this once: only its hash is kept. From the first token on, the HTTP API lets nobody in ' +
        'without one. A running Signalbox knows it within a second.',
    )
    .argument('<name>', 'who has it, as the log is to name them: user:NAME')
    .addOption(
      new Option('--role <role>', 'admin decides everything; observer only reads')
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .action(async (name: string, options: NewOptions) => {
      if (!ID_PATTERN.test(name)) {
        throw new SignalboxError(
          'invalid_request',
          `name ${JSON.stringify(name)}: use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
        );
      }
      const value = await addToken(await fileOf(options), name, options.role, Date.now());
      terminal.print(options.json ? JSON.stringify({ name, role: options.role, token: value }) : value);
      terminal.note('keep it: it is not shown again. Clients take it from SIGNALBOX_TOKEN or --token-file');
    });
  withExamples(command, [
    ['For yourself', 'signalbox token new ann --role admin > ~/.signalbox-token'],
    ['For a dashboard', 'signalbox token new wallboard --role observer'],
  ]);
}
