/** `signalbox audit keys`: the keys that sign checkpoints. */
import { Option } from 'commander';
import type { AuditKeyAnswer } from '../../contracts/api/system-answers.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { CommandRow } from '../command.ts';
import { type ByOption, byOf, clientOf, type ServerOptions, withBy, withServer } from '../options.ts';
import { printAnswer, printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';

const show: CommandRow = {
  name: 'show',
  summary: 'list the public keys',
  description: 'Lists the public keys, oldest first; the last one is in use.',
  examples: [['List the keys that signed this log', 'signalbox audit keys show']],
  add: (command, terminal) =>
    withServer(command).action(async (options: ServerOptions) => {
      printKeys(terminal, options, (await clientOf(options).listAuditKeys()).keys);
    }),
};

const rotate: CommandRow = {
  name: 'rotate',
  summary: 'replace the signing key',
  description: 'Creates a new key, signed by the old one. The old private key is destroyed.',
  examples: [['Rotate the key, once a year for example', 'signalbox audit keys rotate']],
  add: (command, terminal) =>
    withBy(withServer(command)).action(async (options: ServerOptions & ByOption) => {
      printKeys(terminal, options, (await clientOf(options).rotateAuditKey(byOf(options))).keys);
    }),
};

const exportKey: CommandRow = {
  name: 'export',
  summary: 'print a public key',
  description:
    'Prints a public key for "audit verify --key". Store it where it cannot be changed by users who can change the log.',
  examples: [['Store the key', 'signalbox audit keys export > signalbox.pem']],
  add: (command, terminal) =>
    withServer(command)
      .argument('[fingerprint]', 'which key (default: the first, which all others follow from)')
      .addOption(
        new Option('--format <format>', 'PEM, or the 32 bytes in base64')
          .choices(['pem', 'raw'])
          .default('pem'),
      )
      .action(
        async (fingerprint: string | undefined, options: ServerOptions & { readonly format: string }) => {
          const { keys: all } = await clientOf(options).listAuditKeys();
          const key = all.find((each) => fingerprint === undefined || each.key === fingerprint);
          if (!key) throw new SignalboxError('not_found', `the log has no key ${fingerprint ?? ''}`);
          const { publicPem } = await import('../../features/audit/keys.ts');
          const pem = publicPem(Buffer.from(key.public_key, 'base64'));
          if (options.json) printJson(terminal, { ...key, pem });
          else terminal.write(options.format === 'pem' ? pem : `${key.public_key}\n`);
        },
      ),
};

export const keys: CommandRow = {
  name: 'keys',
  summary: 'show, rotate and export the keys that sign the log',
  description: 'Shows, rotates and exports the keys that sign the log.',
  commands: [show, rotate, exportKey],
};

const COLUMNS: readonly Column<AuditKeyAnswer>[] = [
  { title: 'FINGERPRINT', text: ({ key }) => key, isName: true },
  { title: 'SEQUENCE', text: ({ sequence }) => sequence, align: 'right' },
  { title: 'SINCE', text: ({ time }) => time },
  { title: 'SIGNED BY', text: ({ signed_by }) => signed_by?.slice(0, 16) ?? 'none' },
];

function printKeys(terminal: Terminal, options: ServerOptions, all: readonly AuditKeyAnswer[]): void {
  printAnswer(terminal, options, { keys: all }, () => tableLines(terminal, COLUMNS, all));
}
