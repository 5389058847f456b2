/** The directory of the embedded server: its files, and the credentials of its one administrator. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { readText } from '../../base/files.ts';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';
import { ACCOUNTS_CONF, USERS_CONF } from '../../nats/nats-accounts.ts';

/** All files of the embedded server, in one directory that one server uses at a time. */
export type Layout = Readonly<ReturnType<typeof layoutOf>>;

/** Names the files of the embedded server below `dataDir`; creates nothing. */
export function layoutOf(dataDir: string) {
  const directory = join(resolve(dataDir), 'nats');
  const file = (name: string): string => join(directory, name);
  return {
    directory,
    /** Locked by the server while it runs. */
    lockFile: file('lock'),
    /** The server adds `jetstream/<account>/streams/<stream>` below it. */
    storeDir: file('store'),
    /** The server writes its ports file here. */
    runDir: file('run'),
    pidFile: file('nats-server.pid'),
    logFile: file('nats-server.log'),
    /** `nats.conf`, adapted to the version of the server. */
    confFile: file('nats-server.conf'),
    /** Included by `confFile` in the account with the log: Signalbox itself, and what other accounts may use. */
    usersConfFile: file(USERS_CONF),
    /** Included by `confFile`: the accounts of all other users. */
    accountsConfFile: file(ACCOUNTS_CONF),
    /** Seeds of the other users. */
    usersDir: file('users'),
    /** The port of the last start, so that the next one has the same address. */
    portFile: file('port'),
    credentialsFile: file('credentials.json'),
  };
}

/** Creates the directories, readable by this user only. @throws SignalboxError `nats_unavailable` */
export async function createDirectories(layout: Layout): Promise<void> {
  try {
    for (const directory of [layout.directory, layout.storeDir, layout.runDir]) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    }
    // An older directory may have been made with a wider mode.
    await chmod(layout.directory, 0o700);
  } catch (cause) {
    throw new SignalboxError(
      'nats_unavailable',
      `the directory ${layout.directory} of the embedded NATS server is not writable (${messageOf(cause)}): ` +
        'make it writable for this user, or choose another data directory',
      { cause, details: { directory: layout.directory } },
    );
  }
}

const USER = 'signalbox';

const credentialsSchema = z.object({ user: z.literal(USER), password: z.string().min(1) });

/** The one user of the embedded server, as `nats.conf` names it. */
export type Credentials = Readonly<z.infer<typeof credentialsSchema>>;

/**
 * The credentials in `file`; generated and written (mode 0600) if there is no such file. Two processes that do this at
 * the same time get the same ones.
 * @throws SignalboxError `nats_unavailable`
 */
export async function loadCredentials(file: string): Promise<Credentials> {
  try {
    if (!existsSync(file)) await createOnce(file);
    const credentials = credentialsIn(await readText(file));
    await chmod(file, 0o600);
    return credentials;
  } catch (cause) {
    throw new SignalboxError(
      'nats_unavailable',
      `the credentials of the embedded NATS server in ${file} cannot be used (${messageOf(cause)}): ` +
        'make the file readable for this user, or delete it while Signalbox is stopped to get new ones',
      { cause, details: { file } },
    );
  }
}

/** Without the text of the parser, which quotes the file. */
function credentialsIn(text: string): Credentials {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  const { data } = credentialsSchema.safeParse(content);
  if (data) return data;
  throw new Error(`it is not JSON with "user": "${USER}" and a "password"`);
}

async function createOnce(file: string): Promise<void> {
  const fresh: Credentials = { user: USER, password: randomBytes(24).toString('base64url') };
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify(fresh)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Unlike rename, link does not replace a file that another process wrote first.
    await link(temporary, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
