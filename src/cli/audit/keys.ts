import { type Command, Option } from 'commander';
import type { AuditKeyAnswer } from '../../contracts/api/answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { clientOf, type ServerOptions, userName, withServerOptions } from '../client-options.ts';
import { withExamples } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { tableLines } from '../text/table.ts';

export function addAuditKeys(audit: Command, terminal: Terminal): void {
  const keys = audit.command('keys').description('show, export and rotate the keys that sign the log');
  const show = withServerOptions(keys.command('show'))
    .description('Lists the public keys in the order of their introduction; the last one signs.')
    .action(async (options: ServerOptions) =>
      print(terminal, options, (await clientOf(options).listAuditKeys()).keys),
    );
  withExamples(show, [['Which keys signed this log', 'signalbox audit keys show']]);

  const rotate = withServerOptions(keys.command('rotate'))
    .description('Introduces a new key, for which the old one vouches. The old private key is destroyed.')
    .option('--by <name>', 'who decides', userName())
    .action(async ({ by, ...options }: ServerOptions & { readonly by: string }) =>
      print(terminal, options, (await clientOf(options).rotateAuditKey({ by })).keys),
    );
  withExamples(rotate, [['Once a year', 'signalbox audit keys rotate']]);

  const format = new Option('--format <format>', 'PEM, or the 32 bytes in base64').choices(['pem', 'raw']);
  const exporting = withServerOptions(keys.command('export'))
    .description(
      'Prints a public key, for "audit verify --key". Keep it where nobody can change it who can change the log.',
    )
    .argument('[fingerprint]', 'which one (default: the first, from which the others follow)')
    .addOption(format.default('pem'))
    .action(async (fingerprint: string | undefined, options: ServerOptions & { readonly format: string }) => {
      const all = (await clientOf(options).listAuditKeys()).keys;
      const key = all.find((each) => fingerprint === undefined || each.key === fingerprint);
      if (!key) throw new SignalboxError('not_found', `the log has no key ${fingerprint ?? ''}`);
      const { publicPem } = await import('../../features/audit/keys.ts');
      const pem = publicPem(Buffer.from(key.public_key, 'base64'));
      if (options.json) terminal.print(JSON.stringify({ ...key, pem }, null, 2));
      else terminal.write(options.format === 'pem' ? pem : `${key.public_key}\n`);
    });
  withExamples(exporting, [['Note the key', 'signalbox audit keys export > signalbox.pem']]);
}

function print(terminal: Terminal, { json }: ServerOptions, keys: readonly AuditKeyAnswer[]): void {
  if (json) return terminal.print(JSON.stringify({ keys }, null, 2));
  const lines = tableLines(
    terminal,
    [
      { title: 'FINGERPRINT', text: ({ key }) => key, isName: true },
      { title: 'SEQUENCE', text: ({ sequence }) => sequence, align: 'right' },
      { title: 'SINCE', text: ({ time }) => time },
      { title: 'VOUCHED FOR BY', text: ({ signed_by }) => signed_by?.slice(0, 16) ?? 'none' },
    ],
    keys,
  );
  for (const line of lines) terminal.print(line);
}
