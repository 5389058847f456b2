/** What a hostile process of the same user can put in the place of a file or a folder. */
import { execFile } from 'node:child_process';
import { link, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const HOSTILE_KINDS = [
  'fifo',
  'device',
  'device-link',
  'directory',
  'link',
  'socket',
  'huge',
  'nothing',
] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

/** A sparse file: it takes no space on the disk, but every byte of it can be read. */
const HUGE_BYTES = 3 * 1_024 ** 3;

/** Puts something of this kind in the place of whatever is at each of the paths, also if nothing is there. */
export async function replaceBy(kind: HostileKind, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  for (let attemptsLeft = MAX_ATTEMPTS - 1; ; attemptsLeft--) {
    await Promise.all(
      paths.map(async (path) => {
        await rm(path, { recursive: true, force: true });
        if (kind !== 'nothing') await mkdir(dirname(path), { recursive: true });
      }),
    );
    try {
      await MAKE[kind](paths);
      return;
    } catch (error) {
      // A process that is ending may have written its file again in between.
      if (attemptsLeft === 0) throw error;
    }
  }
}

const MAX_ATTEMPTS = 5;

const MAKE: Readonly<Record<HostileKind, (paths: readonly string[]) => Promise<unknown>>> = {
  fifo: (paths) => run('mkfifo', [...paths]),
  device: async (paths) => {
    // Only root may make a device; for others it is the same as a link to one.
    const isRoot = process.getuid?.() === 0;
    await Promise.all(
      paths.map((path) => (isRoot ? run('mknod', [path, 'c', '1', '5']) : symlink('/dev/zero', path))),
    );
  },
  'device-link': (paths) => Promise.all(paths.map((path) => symlink('/dev/zero', path))),
  directory: (paths) => Promise.all(paths.map((path) => mkdir(join(path, 'inside'), { recursive: true }))),
  link: (paths) => Promise.all(paths.map((path) => symlink('/etc/passwd', path))),
  socket: listenAt,
  huge: (paths) =>
    Promise.all(
      paths.map(async (path) => {
        await writeFile(path, '');
        await truncate(path, HUGE_BYTES);
      }),
    ),
  nothing: async () => {},
};

/** The path of a socket is short, so it is made elsewhere, and gets its names afterwards. It stays when nobody listens. */
async function listenAt(paths: readonly string[]): Promise<void> {
  const made = join(tmpdir(), `signalbox-socket-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(made, resolve));
  try {
    await Promise.all(paths.map((path) => link(made, path)));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
