/** `signalbox token`: tokens of the HTTP API. Works on the file of this machine; Signalbox need not run. */
import { type Command, Option } from 'commander';
import { accessFiles } from '../../config/derived.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { type AccessFiles, readAccess } from '../../operations/access/access-state.ts';
import { LOCKED_ADVICE } from '../../operations/access/people.ts';
import {
  addToken,
  openAccess,
  ROLES,
  type Role,
  readTokens,
  removeToken,
  type TokenEntry,
} from '../../operations/access/tokens-file.ts';
import type { CommandRow } from '../command.ts';
import { loadConfigFor } from '../config-file.ts';
import { type ConfigOptions, type JsonOption, withConfig, withJson } from '../options.ts';
import { printList } from '../output.ts';
import type { Column } from '../text/table.ts';
import { ageText } from '../text/time.ts';

interface TokenOptions extends ConfigOptions, JsonOption {}

function withTokenFile(command: Command): Command {
  return withJson(withConfig(command));
}

/** @throws SignalboxError `config_invalid` */
async function filesOf(options: TokenOptions): Promise<AccessFiles> {
  return accessFiles((await loadConfigFor(options)).config);
}

const create: CommandRow = {
  name: 'new',
  summary: 'create a token',
  description:
    'Creates a token and prints it. Only its hash is stored, so it is not shown again. From the first token on, the HTTP ' +
    'API rejects requests without one. A running Signalbox accepts the token within one second.',
  examples: [
    ['Create a token for yourself', 'signalbox token new ann --role admin > ~/.signalbox-token'],
    ['Create a read-only token for a dashboard', 'signalbox token new wallboard --role observer'],
  ],
  add: (command, terminal) =>
    withTokenFile(command)
      .argument('<name>', 'name of the user; events record it as user:NAME')
      .addOption(
        new Option('--role <role>', 'admin may do everything; observer may only read')
          .choices(ROLES)
          .makeOptionMandatory(),
      )
      .action(async (name: string, options: TokenOptions & { readonly role: Role }) => {
        const { role, json } = options;
        if (!ID_PATTERN.test(name)) {
          throw new SignalboxError(
            'invalid_request',
            `name ${JSON.stringify(name)}: use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
          );
        }
        const token = await addToken(await filesOf(options), name, role, Date.now());
        terminal.print(json ? JSON.stringify({ name, role, token }) : token);
        terminal.note(
          'store it now: it is not shown again. Clients read it from SIGNALBOX_TOKEN or --token-file',
        );
      }),
};

const ls: CommandRow = {
  name: 'ls',
  summary: 'list tokens',
  description: 'Lists the users that have a token. The tokens themselves are not stored.',
  examples: [['List all tokens', 'signalbox token ls']],
  add: (command, terminal) =>
    withTokenFile(command).action(async (options: TokenOptions) => {
      const files = await filesOf(options);
      const entries = await readTokens(files.tokens);
      const rows = entries.map(({ name, role, created_at }) => ({ name, role, created_at }));
      const empty =
        readAccess(files) === 'closed'
          ? `no tokens, and access is closed to all but running agents: ${LOCKED_ADVICE}`
          : 'no tokens: every user of this machine can use the HTTP API without one';
      printList(terminal, options, { rows, columns, empty });
    }),
};

function columns(now: number): readonly Column<Pick<TokenEntry, 'name' | 'role' | 'created_at'>>[] {
  return [
    { title: 'NAME', text: ({ name }) => name, isName: true },
    { title: 'ROLE', text: ({ role }) => role },
    { title: 'AGE', text: ({ created_at }) => ageText(created_at, now), align: 'right' },
  ];
}

const revoke: CommandRow = {
  name: 'revoke',
  summary: 'revoke a token',
  description:
    'Revokes a token. It is rejected within one second. After the last one, all callers but running agents are refused until a ' +
    'token is created, or "token open-access" lets every user of this machine in.',
  examples: [['Revoke the token of a user who has left', 'signalbox token revoke ann']],
  add: (command, terminal) =>
    withTokenFile(command)
      .argument('<name>', 'name of the user')
      .action(async (name: string, options: TokenOptions) => {
        const left = await removeToken(await filesOf(options), name, Date.now());
        if (options.json) terminal.print(JSON.stringify({ revoked: name }));
        else terminal.note(`revoked the token of ${name}`);
        if (left === 0) terminal.note(`it was the last one, and access stays closed: ${LOCKED_ADVICE}`);
      }),
};

const openAccessRow: CommandRow = {
  name: 'open-access',
  summary: 'let every user of this machine in without a token',
  description:
    'Lets every user of this machine use the HTTP API without a token, as before the first token was created. Only while ' +
    'there are no tokens. A running Signalbox follows within one second; the next "token new" closes access again.',
  examples: [['Go back to a Signalbox without tokens', 'signalbox token open-access --yes']],
  add: (command, terminal) =>
    withTokenFile(command)
      .option('--yes', 'confirms that every user of this machine becomes an administrator')
      .action(async (options: TokenOptions & { readonly yes?: true }) => {
        if (options.yes !== true) {
          throw new SignalboxError(
            'invalid_request',
            'every user of this machine would become an administrator of Signalbox: repeat the command with --yes',
          );
        }
        await openAccess(await filesOf(options), Date.now());
        if (options.json) terminal.print(JSON.stringify({ access: 'open' }));
        else terminal.note('access is open: every user of this machine gets in without a token');
      }),
};

export const token: CommandRow = {
  name: 'token',
  summary: 'create, list and revoke tokens of the HTTP API',
  description: 'Creates, lists and revokes the tokens of users of the HTTP API.',
  examples: [['Create a token for yourself', 'signalbox token new ann --role admin > ~/.signalbox-token']],
  commands: [create, ls, revoke, openAccessRow],
};
