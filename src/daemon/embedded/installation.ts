/** Prepares a data directory for the embedded server: its configuration, its users and its credentials. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Variables } from '../../base/environment.ts';
import { readText } from '../../base/files.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { accountsConf, usersConf } from '../../nats/nats-accounts.ts';
import { PACKAGE_ROOT } from '../../version.ts';
import { replaceFile } from './files.ts';
import { type Credentials, createDirectories, type Layout, layoutOf, loadCredentials } from './layout.ts';
import { compareVersions, type NatsServerProgram } from './program.ts';
import { findGuard, type Guard } from './running.ts';
import { readUsers } from './users-file.ts';

/** What is the same for every run of the server. */
export type Installation = Readonly<{
  program: NatsServerProgram;
  layout: Layout;
  credentials: Credentials;
  guard: Guard;
}>;

export interface InstallationOptions {
  /** The data directory of Signalbox; the server keeps its files in `nats/` below it. */
  readonly dataDir: string;
  readonly program: NatsServerProgram;
  /** Its PATH is searched for `flock` and `setpriv`. */
  readonly env: Variables;
  /** Used in place of the `nats.conf` of this package. */
  readonly confFile?: string | undefined;
}

/** Creates what the server needs in the data directory and keeps what already exists. */
export async function prepareInstallation(options: InstallationOptions): Promise<Installation> {
  const { program, env, confFile = shippedConf() } = options;
  const layout = layoutOf(options.dataDir);
  await createDirectories(layout);
  const credentials = await loadCredentials(layout.credentialsFile);
  await writeConf(layout, confFile, program);
  await writeUsersConf(layout, credentials);
  return { program, layout, credentials, guard: await findGuard(layout, env) };
}

async function writeConf(layout: Layout, source: string, program: NatsServerProgram): Promise<void> {
  try {
    await replaceFile(layout.confFile, confFor(await readText(source), program.version));
  } catch (cause) {
    throw new SignalboxError(
      'nats_unavailable',
      `cannot copy the configuration ${source} to ${layout.confFile} (${messageOf(cause)}): ` +
        'make the first readable and the second writable for this user, and check that the disk is not full',
      { cause, details: { source, confFile: layout.confFile } },
    );
  }
}

/** When the server syncs its store: `1s` every second, `always` before each acknowledgement. */
export type SyncMode = '1s' | 'always';

/** What may differ from one run of the server to the next. */
export type ServerSettings = Readonly<{
  /** -1 lets the server choose. */
  port: number;
  /** Bytes that the store may take. */
  maxFileBytes: number;
  sync: SyncMode;
}>;

/** The `nats.conf` of this package. */
export function shippedConf(): string {
  const file = join(PACKAGE_ROOT, 'nats.conf');
  if (existsSync(file)) return file;
  throw new SignalboxError('nats_unavailable', `${file} is missing: install Signalbox again`);
}

const VERSION_MARK = /^([ \t]*)#>=(\d+(?:\.\d+){0,2})[ \t]+(.*)$/gm;

/**
 * The text of `conf` for a server of `version`: a line `#>=2.10 name: value` loses its mark if the server is new enough,
 * and stays a comment otherwise. Older servers refuse to start with a setting that they do not know.
 */
export function confFor(conf: string, version: string): string {
  return conf.replace(VERSION_MARK, (line, indent: string, since: string, setting: string) =>
    compareVersions(version, since) >= 0 ? `${indent}${setting}` : line,
  );
}

/** The environment that `nats.conf` reads. */
export function confEnvironment(
  layout: Layout,
  credentials: Credentials,
  { port, maxFileBytes, sync }: ServerSettings,
): Readonly<Record<string, string>> {
  return {
    SIGNALBOX_NATS_PORT: String(port),
    SIGNALBOX_NATS_RUN_DIR: quoted(layout.runDir),
    SIGNALBOX_NATS_PID_FILE: quoted(layout.pidFile),
    SIGNALBOX_NATS_LOG_FILE: quoted(layout.logFile),
    SIGNALBOX_NATS_STORE_DIR: quoted(layout.storeDir),
    SIGNALBOX_NATS_MAX_FILE: String(maxFileBytes),
    SIGNALBOX_NATS_SYNC: quoted(sync),
    SIGNALBOX_NATS_PASSWORD: quoted(credentials.password),
  };
}

/**
 * `text` as a string of the configuration language. nats-server parses the value of a variable like any other value:
 * unquoted, `1e5` is a number, `a b` an error and `$HOME` the next variable.
 */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these have to be escaped.
  const escaped = text.replace(/[\\"\u0000-\u001f\u007f]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}

/** Writes the files with users and accounts that `nats.conf` includes. */
export async function writeUsersConf(layout: Layout, { user }: Credentials): Promise<void> {
  const own = `{ user: ${user}, password: $SIGNALBOX_NATS_PASSWORD }`;
  const { users, account } = await readUsers(layout.usersDir);
  await replaceFile(layout.usersConfFile, usersConf(users, [own]));
  await replaceFile(layout.accountsConfFile, accountsConf(users, account));
}
