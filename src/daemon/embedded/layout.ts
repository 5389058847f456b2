/** The directory of the embedded server: its files, and the credentials of its one administrator. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasCode, messageOf, SignalboxError } from '../../contracts/errors.ts';

/** All files of the embedded server, in one directory that one server uses at a time. */
export type Layout = Readonly<{
  directory: string;
  /** Locked by the server while it runs. */
  lockFile: string;
  /** The store; the server adds `jetstream/<account>/streams/<stream>` below it. */
  storeDir: string;
  /** The server writes its ports file here. */
  runDir: string;
  pidFile: string;
  logFile: string;
  /** `nats.conf`, adapted to the version of the server. */
  confFile: string;
  /** Included by `confFile`: users and their permissions. */
  usersConfFile: string;
  /** Seeds of the other users. */
  usersDir: string;
  /** The port of the last start, so that the next one answers at the same address. */
  portFile: string;
  credentialsFile: string;
}>;

/** Names the files of the embedded server below `dataDir`; creates nothing. */
export function layoutOf(dataDir: string): Layout {
  const directory = join(resolve(dataDir), 'nats');
  const file = (name: string): string => join(directory, name);
  return {
    directory,
    lockFile: file('lock'),
    storeDir: file('store'),
    runDir: file('run'),
    pidFile: file('nats-server.pid'),
    logFile: file('nats-server.log'),
    confFile: file('nats-server.conf'),
    usersConfFile: file('users.conf'),
    usersDir: file('users'),
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

/** The one user of the embedded server, as `nats.conf` names it. */
export type Credentials = Readonly<{ user: string; password: string }>;

const USER = 'signalbox';

/**
 * The credentials in `file`; generated and written (mode 0600) if there is no such file. Two processes that do this at
 * the same time get the same ones.
 * @throws SignalboxError `nats_unavailable`
 */
export async function loadCredentials(file: string): Promise<Credentials> {
  try {
    if (!existsSync(file)) await createOnce(file);
    const credentials: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isCredentials(credentials)) throw new Error('it does not name a user and a password');
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

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { user, password } = value as Record<string, unknown>;
  return user === USER && typeof password === 'string' && password !== '';
}
