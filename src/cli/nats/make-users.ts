/** Creates users of a NATS server: seeds or passwords for the users, permissions for the server. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createUser } from '@nats-io/nkeys';
import { hash } from 'bcryptjs';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { ID_PATTERN } from '../../contracts/ids.ts';
import { replaceFile } from '../../daemon/embedded/files.ts';
import { layoutOf } from '../../daemon/embedded/layout.ts';
import { readUsers, type UsersFile, writeUsers } from '../../daemon/embedded/users-file.ts';
import { ACCOUNTS_CONF, accountsConf, USERS_CONF, usersConf } from '../../nats/nats-accounts.ts';
import { type NatsRole, type NatsUser, permissionsOf } from '../../nats/nats-users.ts';
import { loadConfigFor } from '../config-file.ts';
import type { ConfigOptions, JsonOption } from '../options.ts';
import { printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';

export interface UsersOptions extends ConfigOptions, JsonOption {
  readonly out?: string;
  readonly account?: string;
  readonly agent?: readonly string[];
  readonly observer?: readonly string[];
  readonly operator?: readonly string[];
  readonly password?: readonly string[];
  readonly renew?: readonly string[];
}

/** Low, because passwords are random and the server computes the hash at each connection. */
const HASH_ROUNDS = 8;

type Wanted = Pick<NatsUser, 'name' | 'role'>;

/** @throws SignalboxError `config_invalid`, `invalid_id`, `invalid_request` */
export async function makeUsers(terminal: Terminal, options: UsersOptions): Promise<void> {
  const { config } = await loadConfigFor(options);
  const directory = options.out === undefined ? layoutOf(config.data_dir).usersDir : resolve(options.out);
  const wanted = wantedUsers(config, options);
  const { account: earlierAccount, users: earlier } = await readUsers(directory);
  const account = accountFor(options, earlierAccount);
  const renewed = new Set(options.renew);
  const withPassword = new Set(options.password);
  for (const name of renewed) {
    if (!earlier.some((user) => user.name === name)) {
      throw new SignalboxError('invalid_request', `--renew ${name}: ${directory} has no such user`);
    }
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const users: NatsUser[] = [];
  const made: string[] = [];
  for (const user of merged(earlier, wanted)) {
    const known = earlier.find(({ name }) => name === user.name);
    const hasPassword = known?.password_hash !== undefined;
    const wantsPassword = withPassword.has(user.name) || (hasPassword && !renewed.has(user.name));
    if (known && known.role === user.role && hasPassword === wantsPassword && !renewed.has(user.name)) {
      users.push(known);
      continue;
    }
    const file = secretFile(directory, { ...user, password_hash: wantsPassword ? '' : undefined });
    const proof = wantsPassword ? await makePassword(file, user.name) : await makeSeed(file);
    users.push({ ...user, ...proof });
    made.push(user.name);
  }
  await writeUsers(directory, { account, users });
  if (options.out !== undefined) await writeConf(directory, { account, users });
  report(terminal, options, { directory, account, users, made });
}

/** The name of the account with the log. @throws SignalboxError `invalid_id`, `invalid_request` */
function accountFor({ account, out }: UsersOptions, earlier: string): string {
  if (account === undefined) return earlier;
  if (out !== undefined) return checked('account', account);
  throw new SignalboxError('invalid_request', '--account is for a server of your own: give --out, too');
}

/** The accounts first: the other file refers to them, and a server that misses them refuses its configuration. */
async function writeConf(directory: string, { account, users }: UsersFile): Promise<void> {
  await replaceFile(join(directory, ACCOUNTS_CONF), accountsConf(users, account));
  await replaceFile(join(directory, USERS_CONF), usersConf(users));
}

function wantedUsers({ agents }: SignalboxConfig, options: UsersOptions): Wanted[] {
  const remote = Object.keys(agents).filter((id) => agents[id]?.driver === 'remote');
  const as = (role: NatsRole, names: readonly string[] = []): Wanted[] =>
    names.map((name) => ({ name: checked('user', name), role }));
  return [
    ...(options.out === undefined ? [] : as('supervisor', ['signalbox'])),
    ...as('agent', [...remote, ...(options.agent ?? [])]),
    ...as('observer', options.observer),
    ...as('operator', options.operator),
  ];
}

/** Existing users stay. @throws SignalboxError `invalid_request` for one name in two roles */
function merged(earlier: readonly NatsUser[], wanted: readonly Wanted[]): Wanted[] {
  const users = new Map<string, Wanted>(earlier.map(({ name, role }) => [name, { name, role }]));
  const roles = new Map<string, NatsRole>();
  for (const user of wanted) {
    const other = roles.get(user.name) ?? user.role;
    if (other !== user.role) {
      throw new SignalboxError(
        'invalid_request',
        `${user.name} cannot be both ${other} and ${user.role}: use another name for one of them`,
      );
    }
    roles.set(user.name, user.role);
    users.set(user.name, user);
  }
  return [...users.values()];
}

async function makePassword(file: string, user: string): Promise<Pick<NatsUser, 'password_hash'>> {
  const password = randomBytes(24).toString('base64url');
  await replaceFile(file, `${JSON.stringify({ user, password })}\n`);
  return { password_hash: await hash(password, HASH_ROUNDS) };
}

async function makeSeed(file: string): Promise<Pick<NatsUser, 'nkey'>> {
  const pair = createUser();
  await replaceFile(file, `${new TextDecoder().decode(pair.getSeed())}\n`);
  const nkey = pair.getPublicKey();
  pair.clear();
  return { nkey };
}

function secretFile(
  directory: string,
  { name, password_hash }: Pick<NatsUser, 'name' | 'password_hash'>,
): string {
  return join(directory, password_hash === undefined ? `${name}.nk` : `${name}.json`);
}

interface Made extends UsersFile {
  readonly directory: string;
  readonly made: readonly string[];
}

function report(
  terminal: Terminal,
  { out, json }: UsersOptions,
  { directory, account, users, made }: Made,
): void {
  const shown = users.map((user) => ({
    ...user,
    secret_file: secretFile(directory, user),
    is_new: made.includes(user.name),
    permissions: permissionsOf(user),
  }));
  if (json) return printJson(terminal, { directory, account, users: shown });
  if (shown.length === 0) {
    return terminal.note(
      'no users: the configuration has no remote agents; name users with --agent, --observer or --operator',
    );
  }
  for (const { name, role, secret_file, is_new } of shown) {
    terminal.print(`${role} ${name}: ${secret_file}${is_new ? '' : ' (unchanged)'}`);
  }
  terminal.note(
    out === undefined
      ? 'The users are valid from the next start of Signalbox. Give each user only its own file.'
      : `Include ${join(directory, USERS_CONF)} in the account ${account} of your NATS server and ${join(directory, ACCOUNTS_CONF)} beside it, in "accounts" (docs/how-to/use-your-own-nats-server.md). Set nats.credentials of Signalbox to ${join(directory, 'signalbox.nk')}.`,
  );
}

function checked(kind: 'user' | 'account', name: string): string {
  if (ID_PATTERN.test(name)) return name;
  throw new SignalboxError(
    'invalid_id',
    `${kind} ${JSON.stringify(name.slice(0, 80))}: use 1 to 64 characters of A-Z, a-z, 0-9, "_" and "-"`,
  );
}
