/**
 * The program as it is shipped, for tests that start it as a process of its own: compiled once for each state of the
 * sources, however many test files ask for it at the same time.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Below the package, so that the compiled program finds package.json and node_modules as it does from `dist/`. */
const BUILDS = join(ROOT, 'node_modules', '.cache', 'signalbox-test-builds');
const SOURCES = [
  'src',
  'machines',
  'projections',
  'web',
  'scripts/vite.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
];
/** The types are checked by `npm run types`. */
const WITHOUT_CHECKS = ['--noCheck', '--declaration', 'false', '--sourceMap', 'false'];
/** Files that the compiler does not copy. */
const COPIED = [
  'src/process/launch/launcher.sh',
  'src/process/launch/namespace.pl',
  'src/cli/completion/scripts',
];
/** What Vite builds, and where. */
const BUNDLES = [
  ['scripts/vite.config.ts', 'cli'],
  ['web/vite.config.ts', 'web'],
] as const;
/** The program, within a build. */
export const MAIN = join('cli', 'main.js');

/** A lock as old as this belongs to a compiler that was killed. */
const LOCK_EXPIRES_MS = 120_000;
const LOCK_LOOK_MS = 50;
const BUILD_EXPIRES_MS = 3_600_000;

let built: Promise<string> | undefined;

/** What `npm run build` makes as `dist/`, without types. */
export function buildDirectory(): Promise<string> {
  built ??= build();
  return built;
}

/** The path of the compiled `signalbox`: run it with `process.execPath`. */
export async function builtCli(): Promise<string> {
  return join(await buildDirectory(), MAIN);
}

async function build(): Promise<string> {
  const directory = join(BUILDS, await fingerprint());
  await mkdir(BUILDS, { recursive: true });
  await withLock(join(BUILDS, 'lock'), async () => {
    if (await exists(directory)) return;
    await removeOldBuilds();
    const draft = `${directory}.draft`;
    await rm(draft, { recursive: true, force: true });
    const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
    const compilation = ['-p', 'tsconfig.build.json', ...WITHOUT_CHECKS, '--outDir', draft];
    await execa(compiler, compilation, { cwd: ROOT, all: true });
    for (const file of COPIED) await cp(join(ROOT, file), join(draft, file), { recursive: true });
    const vite = join(ROOT, 'node_modules', '.bin', 'vite');
    for (const [config, folder] of BUNDLES) {
      const options = ['--config', config, '--outDir', join(draft, folder), '--logLevel', 'warn'];
      await execa(vite, ['build', ...options], { cwd: ROOT, all: true });
    }
    await rename(draft, directory);
  });
  return directory;
}

/** A hash over everything that the program is built from. */
async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    const files = (await stat(path)).isDirectory() ? await filesIn(path) : [path];
    for (const file of files.toSorted())
      hash
        .update(`${file}\0`)
        .update(await readFile(file))
        .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function removeOldBuilds(): Promise<void> {
  for (const name of await readdir(BUILDS)) {
    const path = join(BUILDS, name);
    const { mtimeMs } = await stat(path);
    if (name !== 'lock' && Date.now() - mtimeMs > BUILD_EXPIRES_MS) await rm(path, { recursive: true });
  }
}

async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await (await open(path, 'wx')).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const held = await stat(path).catch(() => null);
      if (held && Date.now() - held.mtimeMs > LOCK_EXPIRES_MS) await rm(path, { force: true });
      else await sleep(LOCK_LOOK_MS);
    }
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
