import type { Command } from 'commander';
import { removeToken } from '../../operations/access/tokens-file.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { fileOf, type TokenOptions, withTokenOptions } from './options.ts';

export function addTokenRevoke(token: Command, terminal: Terminal): void {
  const command = withTokenOptions(token.command('revoke'))
    .summary('take a token back')
    .description(
      'Takes a token back. A running Signalbox lets its holder in no more within a second. Without the last one, whoever ' +
        'reaches Signalbox on this machine may do everything again.',
    )
    .argument('<name>', 'whose')
    .action(async (name: string, options: TokenOptions) => {
      await removeToken(await fileOf(options), name);
      if (options.json) terminal.print(JSON.stringify({ revoked: name }));
      else terminal.note(`revoked the token of ${name}`);
    });
  withExamples(command, [['Somebody has left', 'signalbox token revoke ann']]);
}
