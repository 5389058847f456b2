import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Variables } from '../../../src/base/environment.ts';
import { checkConfig } from '../../../src/config/parse-config.ts';
import { fetchDebianPackage, obtainNatsServer } from '../../../src/daemon/embedded/obtain.ts';
import {
  cacheDirectory,
  compareVersions,
  locateNatsServer,
  OLDEST_SERVER,
} from '../../../src/daemon/embedded/program.ts';
import { openNatsLink } from '../../../src/daemon/nats-link.ts';
import { temporaryDirectory } from '../../support/nats/embedded.ts';

const logger = pino({ level: 'silent' });
/** Hides the programs that are installed on this machine. */
const systemDirectories: string[] = [];

/** A program that claims to be nats-server of this version. */
async function fakeServer(path: string, version: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await chmod(path, 0o755);
  return path;
}

describe('locateNatsServer', () => {
  it('uses the configured program, else the one in the PATH, else the newest in the cache', async () => {
    await using directory = await temporaryDirectory();
    const own = await fakeServer(join(directory.path, 'own', 'server'), '2.12.0');
    const inPath = await fakeServer(join(directory.path, 'bin', 'nats-server'), '2.11.0');
    const cacheHome = join(directory.path, 'cache');
    const env: Variables = { XDG_CACHE_HOME: cacheHome };
    await fakeServer(join(cacheDirectory(env), '2.9.20', 'nats-server'), '2.9.20');
    const newest = await fakeServer(join(cacheDirectory(env), '2.10.1', 'nats-server'), '2.10.1');
    const withPath = { ...env, PATH: dirname(inPath) };

    const locate = (environment: Variables) =>
      locateNatsServer({ logger, env: environment, systemDirectories });
    expect(await locate({ ...withPath, SIGNALBOX_NATS_SERVER: own })).toEqual({
      path: own,
      version: '2.12.0',
      origin: 'configured',
    });
    expect(await locate(withPath)).toEqual({ path: inPath, version: '2.11.0', origin: 'path' });
    expect(await locate(env)).toEqual({ path: newest, version: '2.10.1', origin: 'cache' });
  });

  it('ignores a program in the PATH that is too old', async () => {
    await using directory = await temporaryDirectory();
    const old = await fakeServer(join(directory.path, 'bin', 'nats-server'), '2.2.0');
    const env: Variables = { PATH: dirname(old), XDG_CACHE_HOME: join(directory.path, 'cache') };
    expect(await locateNatsServer({ logger, env, systemDirectories })).toBeUndefined();
  });

  it.each([
    ['does not exist', undefined],
    ['does not print its version', 'x'],
    ['is version 2.2.0', '2.2.0'],
  ])('refuses a configured program that %s, rather than taking another', async (problem, version) => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'server');
    if (version !== undefined) await fakeServer(path, version);
    await expect(locateNatsServer({ logger, env: process.env, configured: path })).rejects.toMatchObject({
      code: 'nats_server_missing',
      message: expect.stringContaining(`${path} ${problem}`),
    });
  });

  it('uses nats.program of the configuration', async () => {
    await using directory = await temporaryDirectory();
    const program = join(directory.path, 'missing');
    const config = checkConfig({ data_dir: directory.path, nats: { program } });
    await expect(openNatsLink({ config, logger, env: process.env })).rejects.toMatchObject({
      code: 'nats_server_missing',
      message: expect.stringContaining(program),
    });
  });
});

describe('without an installed nats-server', () => {
  it.runIf(existsSync('/usr/bin/apt-get'))(
    'two processes that fetch it at once both get a working program, and leave no other file',
    async () => {
      await using directory = await temporaryDirectory();
      const cacheDir = join(directory.path, "a user's cache");
      const fetch = () => fetchDebianPackage({ cacheDir, env: process.env, logger });
      const [first, second] = await Promise.all([fetch(), fetch()]);
      expect(first).toEqual(second);
      expect(await readdir(cacheDir, { recursive: true })).toEqual([
        first.version,
        join(first.version, 'nats-server'),
      ]);
      expect(compareVersions(first.version, OLDEST_SERVER)).toBeGreaterThanOrEqual(0);
    },
    120_000,
  );

  it('says in one line what to install if no package manager can fetch it', async () => {
    await using directory = await temporaryDirectory();
    const env: Variables = { PATH: '', XDG_CACHE_HOME: directory.path };
    const failure = await obtainNatsServer({ logger, env, systemDirectories }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'nats_server_missing' });
    expect(String(failure)).toMatch(
      /^[^\n]*apt-get is not installed[^\n]*apt-get install nats-server[^\n]*brew install[^\n]*$/,
    );
  });
});
