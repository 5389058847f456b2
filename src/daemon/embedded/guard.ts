import { execa } from 'execa';
import { type Environment, findExecutable, versionOutput } from './executables.ts';
import { readIfThere } from './files.ts';
import type { Layout } from './layout.ts';

/** The exit code that says: another process holds the lock. */
export const LOCK_HELD_EXIT_CODE = 75;

/**
 * A server whose Signalbox has just died needs a moment to shut down cleanly before it lets go of the lock: it is
 * waited for, rather than taken for a second Signalbox.
 */
const LOCK_WAIT_SECONDS = 3;

export type Guard = Readonly<{
  /**
   * What a server is started through. Each program execs what follows it: the process that was spawned becomes the
   * server, under the same pid.
   */
  command: readonly string[];
  /** Whether the command takes the lock on the store. */
  locks: boolean;
}>;

/**
 * Finds what keeps a server from sharing its store (`flock`) and from outliving its parent (`setpriv`), both of
 * util-linux. Where they are missing (macOS), `runningServer` is the weaker guard.
 */
export async function findGuard(layout: Layout, env: Environment): Promise<Guard> {
  const [setpriv, flock] = await Promise.all([utilLinux('setpriv', env), utilLinux('flock', env)]);
  const dieWithParent = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM'];
  const lock = [`--timeout=${LOCK_WAIT_SECONDS}`, '--no-fork', `--conflict-exit-code=${LOCK_HELD_EXIT_CODE}`];
  return {
    command: flock === undefined ? dieWithParent : [...dieWithParent, flock, ...lock, layout.lockFile],
    locks: flock !== undefined,
  };
}

/** Other implementations (BusyBox) lack the options used here. */
async function utilLinux(name: string, env: Environment): Promise<string | undefined> {
  const file = await findExecutable(name, env);
  if (file === undefined) return undefined;
  const version = await versionOutput(file);
  return version?.includes('util-linux') ? file : undefined;
}

/**
 * The pid of the server that has this directory, going by its pid file: for systems without `flock`. Two starts at the
 * same moment do not see each other.
 */
export async function runningServer(layout: Layout): Promise<number | undefined> {
  const pid = await readPid(layout);
  if (pid === undefined) return undefined;
  // The pid may belong to another program by now.
  return (await commandLine(pid)).includes(layout.confFile) ? pid : undefined;
}

/** The pid in the server's pid file, whether that process lives or not. */
export async function readPid(layout: Layout): Promise<number | undefined> {
  const pid = Number.parseInt((await readIfThere(layout.pidFile)) ?? '', 10);
  return pid > 0 ? pid : undefined;
}

/** The command line of a process; empty when there is none. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await readIfThere(`/proc/${pid}/cmdline`)) ?? '';
  const { stdout } = await execa('ps', ['-p', String(pid), '-o', 'args='], { reject: false });
  return stdout ?? '';
}
