import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Logger } from 'pino';
import { messageOf } from '../../../contracts/errors.ts';
import { type Environment, findExecutable, isReadable } from '../executables.ts';
import { cachedPath, type NatsServerProgram, PROGRAM_NAME, versionOf } from '../locate.ts';
import { compareVersions, OLDEST_SERVER } from '../version.ts';
import { type AptSources, PrivateApt } from './apt.ts';
import { newerDebianSources } from './debian-release.ts';

export type FetchOptions = Readonly<{ cacheDir: string; env: Environment; logger: Logger }>;

/**
 * Fetches the system's `nats-server` package into the cache, without root and without installing it: on an older
 * Debian from the next release, whose server lacks the defects of 2.9; elsewhere, or when that fails, from the
 * machine's own sources. Takes some seconds. Throws an Error that says why nothing could be fetched.
 */
export async function fetchDebianPackage(options: FetchOptions): Promise<NatsServerProgram> {
  const { env, logger } = options;
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if ((await findExecutable(tool, env)) === undefined)
      throw new Error(`there is no ${tool} to fetch it with`);
  }
  // Where this fails there is no need to download anything.
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
      'the next Debian release gave no nats-server: trying this release',
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
    const apt = await PrivateApt.create(directory, sources, env);
    const updated = await attempt(apt.run(['update']));
    // One broken source fails the update; the package may still come from another one.
    if (updated !== undefined) logger.warn({ reason: updated }, 'not every package source could be read');
    const files = join(directory, 'files');
    await mkdir(files);
    const downloaded = await attempt(apt.run(['download', PROGRAM_NAME], files));
    if (downloaded !== undefined)
      throw new Error(updated === undefined ? downloaded : `${updated}; ${downloaded}`);
    const program = await install(await unpack(files, env), cacheDir);
    logger.info({ path: program.path, version: program.version }, 'fetched nats-server');
    return program;
  });
}

/** The program in the package that was downloaded into `directory`. */
async function unpack(directory: string, env: Environment): Promise<string> {
  const archive = (await readdir(directory)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get download left no package');
  const root = join(directory, 'root');
  await execa('dpkg-deb', ['--extract', join(directory, archive), root], {
    env: { ...env },
    extendEnv: false,
  });
  for (const place of ['usr/sbin', 'usr/bin']) {
    const program = join(root, place, PROGRAM_NAME);
    if (await isReadable(program)) return program;
  }
  throw new Error(`the package ${archive} holds no ${PROGRAM_NAME}`);
}

/** Puts `program` into the cache by an atomic rename, once it has run from there: others see all of it or nothing. */
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

/** The error's text, or undefined when all went well. */
async function attempt(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Not in the cache: apt's configuration language has no way to write a path with a quote in it. */
async function inWorkDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-apt-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
