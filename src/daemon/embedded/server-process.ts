import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { messageOf } from '../../contracts/errors.ts';
import { confEnvironment, type ServerSettings } from './conf.ts';
import { lastLines, lstatIfThere } from './files.ts';
import type { Installation } from './prepare.ts';

export type ServerExit = Readonly<{
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What the server (or what stood in its way) wrote last, oldest line first. */
  lastLogLines: readonly string[];
}>;

/** A process that is, or is about to become, a nats-server. */
export interface ServerProcess {
  /** Undefined when it could not even be spawned; `exited` says why. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Does nothing when the process is gone. */
  kill(signal: NodeJS.Signals): void;
}

const LOG_LINES = 10;

/**
 * Spawns a server, behind its guard. To be called from the main thread: the parent-death signal comes when the
 * thread that spawned the server ends.
 */
export async function spawnServer(
  installation: Installation,
  settings: ServerSettings,
): Promise<ServerProcess> {
  const { guard, layout, program } = installation;
  const { confFile, logFile } = layout;
  const [command = program.path, ...args] = [...guard.command, program.path, '-c', confFile];
  const logOffset = (await lstatIfThere(logFile))?.size ?? 0;
  const child = spawnLogged(
    command,
    args,
    logFile,
    confEnvironment(layout, installation.credentials, settings),
  );
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('error', (error) => {
      resolve({ code: null, signal: null, lastLogLines: [messageOf(error)] });
    });
    child.once('exit', (code, signal) => {
      lastLines(logFile, logOffset, LOG_LINES).then(
        (lastLogLines) => resolve({ code, signal, lastLogLines }),
        (error) => resolve({ code, signal, lastLogLines: [messageOf(error)] }),
      );
    });
  });
  killWithThisProcess(child);
  return { pid: child.pid, exited, kill: (signal) => void child.kill(signal) };
}

/** The standard error goes to the server's own log file: what is said before that file is open, and a panic's trace. */
function spawnLogged(
  command: string,
  args: string[],
  logFile: string,
  env: Readonly<Record<string, string>>,
) {
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(command, args, {
      // In a session of its own: Ctrl-C in a terminal is for Signalbox, which needs the log until it has drained.
      detached: true,
      stdio: ['ignore', 'ignore', log],
      env: { ...process.env, ...env },
    });
  } finally {
    closeSync(log);
  }
}

const alive = new Set<ChildProcess>();

function killAll(): void {
  for (const child of alive) child.kill('SIGTERM');
}

/** Covers an orderly exit of this process where there is no parent-death signal. */
function killWithThisProcess(child: ChildProcess): void {
  if (alive.size === 0) process.on('exit', killAll);
  alive.add(child);
  const forget = (): void => {
    alive.delete(child);
    if (alive.size === 0) process.off('exit', killAll);
  };
  child.once('exit', forget);
  child.once('error', forget);
}

/** Asks the server to shut down, insists after `graceMs`, and returns when the process is gone. */
export async function terminate(server: ServerProcess, graceMs: number): Promise<ServerExit> {
  server.kill('SIGTERM');
  const insist = setTimeout(() => server.kill('SIGKILL'), graceMs);
  try {
    return await server.exited;
  } finally {
    clearTimeout(insist);
  }
}
