/** How one server per data directory is kept to one, and how a running one is found. */
import { execa } from 'execa';
import type { Variables } from '../../base/environment.ts';
import { readIfExists } from '../../base/files.ts';
import { lstatIfThere } from './files.ts';
import { type Credentials, type Layout, layoutOf, loadCredentials } from './layout.ts';
import { findExecutable, versionOutput } from './program.ts';

/** The exit code of `flock` if another process holds the lock. */
export const LOCK_HELD_EXIT_CODE = 75;

/** A server whose Signalbox has just died needs a moment to shut down cleanly before it releases the lock. */
const LOCK_WAIT_SECONDS = 3;

export type Guard = Readonly<{
  /** The command that starts a server. Each of its programs execs the next, so the server has the pid of the spawned process. */
  command: readonly string[];
  /** Whether the command takes the lock on the store. */
  locks: boolean;
}>;

/**
 * Finds the programs of util-linux that keep a server from sharing its store (`flock`) and from outliving its parent
 * (`setpriv`). If they are missing (macOS), `runningServer` is the weaker guard.
 */
export async function findGuard(layout: Layout, env: Variables): Promise<Guard> {
  const [setpriv, flock] = await Promise.all([utilLinux('setpriv', env), utilLinux('flock', env)]);
  const dieWithParent = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM'];
  const lock = [`--timeout=${LOCK_WAIT_SECONDS}`, '--no-fork', `--conflict-exit-code=${LOCK_HELD_EXIT_CODE}`];
  return {
    command: flock === undefined ? dieWithParent : [...dieWithParent, flock, ...lock, layout.lockFile],
    locks: flock !== undefined,
  };
}

/** Other implementations (BusyBox) lack the options used here. */
async function utilLinux(name: string, env: Variables): Promise<string | undefined> {
  const file = await findExecutable(name, env);
  if (file === undefined) return undefined;
  const version = await versionOutput(file);
  return version?.includes('util-linux') ? file : undefined;
}

/**
 * The pid of the server that uses this directory, according to its pid file: for systems without `flock`. Two starts at
 * the same moment do not see each other.
 */
export async function runningServer(layout: Layout): Promise<number | undefined> {
  const pid = await readPid(layout);
  if (pid === undefined) return undefined;
  // Another program may have the pid by now.
  return (await commandLine(pid)).includes(layout.confFile) ? pid : undefined;
}

/** The pid in the server's pid file, whether that process still runs or not. */
export async function readPid(layout: Pick<Layout, 'pidFile'>): Promise<number | undefined> {
  const pid = Number.parseInt((await readIfExists(layout.pidFile)) ?? '', 10);
  return pid > 0 ? pid : undefined;
}

/** The command line of a process; empty when there is none. */
async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await readIfExists(`/proc/${pid}/cmdline`)) ?? '';
  const { stdout } = await execa('ps', ['-p', String(pid), '-o', 'args='], { reject: false });
  return stdout ?? '';
}

export interface RunningServer extends Credentials {
  /** `nats://127.0.0.1:<port>`, without credentials. */
  readonly url: string;
}

/** Whether an embedded server has ever kept a store in this data directory. */
export async function hasStore(dataDir: string): Promise<boolean> {
  return (await lstatIfThere(layoutOf(dataDir).storeDir)) !== undefined;
}

/** Undefined if none runs, or none has reported its port yet. @throws SignalboxError `nats_unavailable` */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  const layout = layoutOf(dataDir);
  if ((await runningServer(layout)) === undefined) return undefined;
  const port = await rememberedPort(layout);
  if (port === undefined) return undefined;
  return { url: `nats://127.0.0.1:${port}`, ...(await loadCredentials(layout.credentialsFile)) };
}

/** The port of the last start. */
export async function rememberedPort(layout: Layout): Promise<number | undefined> {
  const port = Number.parseInt((await readIfExists(layout.portFile)) ?? '', 10);
  return port > 0 && port < 65_536 ? port : undefined;
}
