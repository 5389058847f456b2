import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';

/** Everything that the embedded server keeps, in one directory that belongs to one server at a time. */
export type Layout = Readonly<{
  directory: string;
  /** Held by the server as long as it lives. */
  lockFile: string;
  /** The store; the server adds `jetstream/<account>/streams/<stream>` below it. */
  storeDir: string;
  /** The server writes its ports file here. */
  runDir: string;
  pidFile: string;
  logFile: string;
  /** `nats.conf` as this version of the server takes it. */
  confFile: string;
  /** Included by it: who may do what. */
  usersConfFile: string;
  /** Seeds of the users beside Signalbox itself. */
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

/** Creates the directories, readable by this user only. Throws `nats_unavailable` where that is not possible. */
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
      `the directory ${layout.directory} for the embedded NATS server cannot be written (${messageOf(cause)}): ` +
        'make it writable for this user, or choose another data directory',
      { cause, details: { directory: layout.directory } },
    );
  }
}
