import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type Environment, findExecutable, isExecutable, versionOutput } from './executables.ts';
import { namesIn } from './files.ts';
import { compareVersions, OLDEST_SERVER, parseServerVersion } from './version.ts';

/** Where a program comes from: named by the user, in the PATH, in the cache, or fetched into the cache just now. */
export type ProgramOrigin = 'configured' | 'path' | 'cache' | 'fetched';

/** A nats-server that runs on this machine. */
export type NatsServerProgram = Readonly<{ path: string; version: string; origin: ProgramOrigin }>;

export type LocateOptions = Readonly<{
  logger: Logger;
  env: Environment;
  /** The program to use, and no other; `SIGNALBOX_NATS_SERVER` names one too. */
  configured?: string | undefined;
  /** Directories that are searched after the PATH. */
  systemDirectories?: readonly string[] | undefined;
}>;

export const PROGRAM_NAME = 'nats-server';

/** Debian's package installs here, which is not in the PATH of an ordinary user. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin'];

/**
 * Finds the nats-server to start: the configured one, else the first in the PATH, else the newest in the cache.
 * Undefined when there is none. Throws `nats_server_missing` when the configured one cannot be used.
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
      'the nats-server in the PATH is not used: it is too old, or does not tell its version',
    );
  }
  const cacheDir = cacheDirectory(env);
  try {
    return await cachedProgram(cacheDir);
  } catch (error) {
    logger.warn({ cacheDir, reason: messageOf(error) }, 'the cache of nats-server programs cannot be read');
    return undefined;
  }
}

/** The version that the program tells, or undefined when it does not run or is no nats-server. */
export async function versionOf(path: string): Promise<string | undefined> {
  const output = await versionOutput(path);
  return output?.includes(PROGRAM_NAME) ? parseServerVersion(output) : undefined;
}

/** The directory that holds `<version>/nats-server` for each version that was fetched. */
export function cacheDirectory(env: Environment): string {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification says that a relative path is to be ignored.
  const root = base !== undefined && isAbsolute(base) ? base : join(env.HOME || homedir(), '.cache');
  return join(root, 'signalbox', PROGRAM_NAME);
}

export function cachedPath(cacheDir: string, version: string): string {
  return join(cacheDir, version, PROGRAM_NAME);
}

async function configuredProgram(path: string): Promise<NatsServerProgram> {
  const refuse = (problem: string): SignalboxError =>
    new SignalboxError(
      'nats_server_missing',
      `the configured nats-server ${path} ${problem}: name another program (SIGNALBOX_NATS_SERVER), or none to use the one in the PATH`,
      { details: { path } },
    );
  if (!(await isExecutable(path))) throw refuse('is not there or cannot be run');
  const version = await versionOf(path);
  if (version === undefined) throw refuse('does not tell its version');
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

function isSupported(version: string): boolean {
  return compareVersions(version, OLDEST_SERVER) >= 0;
}
