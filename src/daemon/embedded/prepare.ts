import { readFile } from 'node:fs/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { confFor, shippedConf } from './conf.ts';
import { type Credentials, loadCredentials } from './credentials.ts';
import type { Environment } from './executables.ts';
import { replaceFile } from './files.ts';
import { findGuard, type Guard } from './guard.ts';
import { createDirectories, type Layout, layoutOf } from './layout.ts';
import type { NatsServerProgram } from './locate.ts';
import { writeUsersConf } from './users.ts';

/** All that stays the same from one run of the server to the next. */
export type Installation = Readonly<{
  program: NatsServerProgram;
  layout: Layout;
  credentials: Credentials;
  guard: Guard;
}>;

export type InstallationOptions = Readonly<{
  dataDir: string;
  program: NatsServerProgram;
  env: Environment;
  /** The configuration to use instead of the `nats.conf` of this package. */
  confFile?: string | undefined;
}>;

/** Creates what the server needs in the data directory, and leaves alone what is there. */
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
    await replaceFile(layout.confFile, confFor(await readFile(source, 'utf8'), program.version));
  } catch (cause) {
    throw new SignalboxError(
      'nats_unavailable',
      `the configuration ${source} cannot be copied to ${layout.confFile} (${messageOf(cause)}): ` +
        'make the one readable and the other writable for this user, and see whether the disk is full',
      { cause, details: { source, confFile: layout.confFile } },
    );
  }
}
