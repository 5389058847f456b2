/** Obtains a nats-server: one that is installed, or the package of the system, fetched into a cache without root. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Logger } from 'pino';
import type { Variables } from '../../base/environment.ts';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { type AptSources, newerDebianSources, privateApt } from './apt.ts';
import {
  cacheDirectory,
  cachedPath,
  compareVersions,
  findExecutable,
  isReadable,
  type LocateOptions,
  locateNatsServer,
  type NatsServerProgram,
  OLDEST_SERVER,
  PROGRAM_NAME,
  RECOMMENDED_SERVER,
  versionOf,
} from './program.ts';

/**
 * The nats-server to start: one that is installed (see `locateNatsServer`), else one that the system's package manager
 * fetches into the cache.
 * @throws SignalboxError `nats_server_missing`, which says in one line what to install
 */
export async function obtainNatsServer(options: LocateOptions): Promise<NatsServerProgram> {
  const { logger, env } = options;
  const found = await locateNatsServer(options);
  if (found !== undefined) {
    const { path, version } = found;
    if (compareVersions(version, RECOMMENDED_SERVER) < 0) {
      logger.warn(
        { path, version, recommended: RECOMMENDED_SERVER },
        'this nats-server works, but has defects that newer versions fix: install a newer one',
      );
    }
    return found;
  }
  const cacheDir = cacheDirectory(env);
  logger.info({ cacheDir }, 'no nats-server found: fetching one; this takes up to half a minute, once');
  return fetchDebianPackage({ cacheDir, env, logger }).catch((cause: unknown) => {
    throw new SignalboxError(
      'nats_server_missing',
      'no nats-server was found, and none could be fetched ' +
        `(${messageOf(cause).replaceAll(/\s+/g, ' ')}): install it with "apt-get install nats-server" (Debian, Ubuntu), ` +
        '"brew install nats-server" (macOS), or from https://github.com/nats-io/nats-server/releases',
      { cause },
    );
  });
}

type FetchOptions = Readonly<{ cacheDir: string; env: Variables; logger: Logger }>;

/**
 * Fetches the system's `nats-server` package into the cache, without root and without installing it: on an older Debian
 * from the next release, whose server lacks the defects of 2.9; elsewhere, or if that fails, from the machine's own
 * sources. Takes some seconds. Throws an Error that says why nothing could be fetched.
 */
export async function fetchDebianPackage(options: FetchOptions): Promise<NatsServerProgram> {
  const { env, logger } = options;
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if ((await findExecutable(tool, env)) === undefined) throw new Error(`${tool} is not installed`);
  }
  // If this fails, nothing need be downloaded.
  await mkdir(options.cacheDir, { recursive: true });
  try {
    const newer = await inWorkDirectory((directory) => newerDebianSources(directory, env));
    if (newer !== undefined) {
      logger.info(
        'fetching nats-server from the next Debian release: the one of this release has known defects',
      );
      return await fetchFrom(newer, options);
    }
  } catch (error) {
    logger.warn(
      { reason: messageOf(error) },
      'could not fetch nats-server from the next Debian release; trying this release',
    );
  }
  logger.info("fetching nats-server from this machine's package sources");
  return fetchFrom({ kind: 'machine' }, options);
}

async function fetchFrom(
  sources: AptSources,
  { cacheDir, env, logger }: FetchOptions,
): Promise<NatsServerProgram> {
  return inWorkDirectory(async (directory) => {
    const runApt = await privateApt(directory, sources, env);
    const updated = await attempt(runApt(['update']));
    // One broken source fails the update; the package may still come from another one.
    if (updated !== undefined)
      logger.warn({ reason: updated }, 'could not read every package source; continuing with the others');
    const files = join(directory, 'files');
    await mkdir(files);
    const downloaded = await attempt(runApt(['download', PROGRAM_NAME], files));
    if (downloaded !== undefined)
      throw new Error(updated === undefined ? downloaded : `${updated}; ${downloaded}`);
    const program = await install(await unpack(files, env), cacheDir);
    logger.info({ path: program.path, version: program.version }, 'fetched nats-server');
    return program;
  });
}

/** The program in the package that was downloaded into `directory`. */
async function unpack(directory: string, env: Variables): Promise<string> {
  const archive = (await readdir(directory)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get download fetched no package');
  const root = join(directory, 'root');
  await execa('dpkg-deb', ['--extract', join(directory, archive), root], {
    env: { ...env },
    extendEnv: false,
  });
  for (const place of ['usr/sbin', 'usr/bin']) {
    const program = join(root, place, PROGRAM_NAME);
    if (await isReadable(program)) return program;
  }
  throw new Error(`the package ${archive} contains no ${PROGRAM_NAME}`);
}

/** Puts `program` into the cache by an atomic rename, once it has run from there: other processes see all of it or nothing. */
async function install(program: string, cacheDir: string): Promise<NatsServerProgram> {
  const temporary = join(cacheDir, `.${randomBytes(6).toString('hex')}`);
  try {
    await copyFile(program, temporary);
    const version = await versionOf(temporary);
    if (version === undefined) throw new Error('the program of the package does not run on this machine');
    if (compareVersions(version, OLDEST_SERVER) < 0) {
      throw new Error(`the package has version ${version}, and Signalbox needs ${OLDEST_SERVER} or newer`);
    }
    const path = cachedPath(cacheDir, version);
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
    return { path, version, origin: 'fetched' };
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The text of the error, if there is one. */
function attempt(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(() => undefined, messageOf);
}

/** Not in the cache, whose path may hold a quote: apt's configuration language cannot express one. */
async function inWorkDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-apt-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
