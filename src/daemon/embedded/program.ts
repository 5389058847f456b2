/** Finds programs on this machine, above all the nats-server to start. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import type { Logger } from 'pino';
import type { Variables } from '../../base/environment.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { namesIn } from './files.ts';

/** The oldest nats-server that Signalbox is tested with (Debian 12). */
export const OLDEST_SERVER = '2.9.10';

/** The first version without the defects of the 2.9 line, and the first with `sync_interval`. */
export const RECOMMENDED_SERVER = '2.10.0';

export const PROGRAM_NAME = 'nats-server';

/** Debian's package installs here, which is not in the PATH of an ordinary user. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin'];

const VERSION_TIMEOUT_MS = 10_000;

/** Where a program was found: named by the user, in the PATH, in the cache, or just fetched into the cache. */
export type ProgramOrigin = 'configured' | 'path' | 'cache' | 'fetched';

/** A nats-server that runs on this machine. */
export type NatsServerProgram = Readonly<{ path: string; version: string; origin: ProgramOrigin }>;

export type LocateOptions = Readonly<{
  logger: Logger;
  env: Variables;
  /** The only program to use; `SIGNALBOX_NATS_SERVER` names one too. */
  configured?: string | undefined;
  /** Directories that are searched after the PATH. */
  systemDirectories?: readonly string[] | undefined;
}>;

/**
 * Finds an installed nats-server: the configured one, else the first in the PATH, else the newest in the cache.
 * Undefined if there is none.
 * @throws SignalboxError `nats_server_missing` if the configured one cannot be used
 */
export async function locateNatsServer(options: LocateOptions): Promise<NatsServerProgram | undefined> {
  const { env, logger, systemDirectories = SYSTEM_DIRECTORIES } = options;
  const configured = options.configured ?? env.SIGNALBOX_NATS_SERVER;
  if (configured) return configuredProgram(configured);
  const inPath = await findExecutable(PROGRAM_NAME, env, systemDirectories);
  if (inPath !== undefined) {
    const version = await versionOf(inPath);
    if (version !== undefined && isSupported(version)) return { path: inPath, version, origin: 'path' };
    logger.warn(
      { path: inPath, version, oldest: OLDEST_SERVER },
      'ignoring the nats-server in the PATH: it is too old, or does not print its version',
    );
  }
  const cacheDir = cacheDirectory(env);
  try {
    return await cachedProgram(cacheDir);
  } catch (error) {
    logger.warn({ cacheDir, reason: messageOf(error) }, 'cannot read the cache of nats-server programs');
    return undefined;
  }
}

async function configuredProgram(path: string): Promise<NatsServerProgram> {
  const refuse = (problem: string): SignalboxError =>
    new SignalboxError(
      'nats_server_missing',
      `the configured nats-server ${path} ${problem}: name another program (SIGNALBOX_NATS_SERVER), or none to use the one in the PATH`,
      { details: { path } },
    );
  if (!(await isExecutable(path))) throw refuse('does not exist or is not executable');
  const version = await versionOf(path);
  if (version === undefined) throw refuse('does not print its version');
  if (!isSupported(version))
    throw refuse(`is version ${version}, and Signalbox needs ${OLDEST_SERVER} or newer`);
  return { path, version, origin: 'configured' };
}

async function cachedProgram(cacheDir: string): Promise<NatsServerProgram | undefined> {
  const versions = (await namesIn(cacheDir)).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  for (const name of versions.sort(compareVersions).reverse()) {
    const path = cachedPath(cacheDir, name);
    const version = await versionOf(path);
    if (version !== undefined && isSupported(version)) return { path, version, origin: 'cache' };
  }
  return undefined;
}

/** The directory that holds `<version>/nats-server` for each version that was fetched. */
export function cacheDirectory(env: Variables): string {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification says that a relative path is to be ignored.
  const root = base !== undefined && isAbsolute(base) ? base : join(env.HOME || homedir(), '.cache');
  return join(root, 'signalbox', PROGRAM_NAME);
}

export function cachedPath(cacheDir: string, version: string): string {
  return join(cacheDir, version, PROGRAM_NAME);
}

/** The path of the program `name` in the directories of `env.PATH` (and then in `more`), if it exists. */
export async function findExecutable(
  name: string,
  env: Variables,
  more: readonly string[] = [],
): Promise<string | undefined> {
  const directories = [...(env.PATH ?? '').split(delimiter), ...more].filter(isAbsolute);
  for (const directory of directories) {
    const file = join(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** Whether `file` is a regular file that this user may run. */
async function isExecutable(file: string): Promise<boolean> {
  return (await isReadable(file, constants.X_OK)) && (await stat(file)).isFile();
}

/** Whether this user may access `file`, by default for reading. */
export async function isReadable(file: string, mode: number = constants.R_OK): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/** The version that the program prints; undefined if it does not run or is not a nats-server. */
export async function versionOf(path: string): Promise<string | undefined> {
  const output = await versionOutput(path);
  return output?.includes(PROGRAM_NAME) ? parseServerVersion(output) : undefined;
}

/** What `file --version` prints; undefined if it does not run or fails. */
export async function versionOutput(file: string): Promise<string | undefined> {
  const result = await execa(file, ['--version'], {
    reject: false,
    timeout: VERSION_TIMEOUT_MS,
    stdin: 'ignore',
  });
  return result.failed ? undefined : result.stdout;
}

/** The version in what `nats-server --version` prints (`nats-server: v2.10.27`), if there is one. */
export function parseServerVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

function isSupported(version: string): boolean {
  return compareVersions(version, OLDEST_SERVER) >= 0;
}

/** Compares two versions of the form `2.10.27` (`2.10` is `2.10.0`): negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
