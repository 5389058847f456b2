/** The process of a nats-server: how it is spawned, watched and ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { openForAppendSync } from '../../base/regular-files.ts';
import { messageOf } from '../../contracts/errors.ts';
import { lastLines, lstatIfThere } from './files.ts';
import { confEnvironment, type Installation, type ServerSettings } from './installation.ts';

export type ServerExit = Readonly<{
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines that the server (or a guard before it) wrote, oldest first. */
  lastLogLines: readonly string[];
}>;

/** A process that is, or is about to become, a nats-server. */
export interface ServerProcess {
  /** Undefined if it could not be spawned; `exited` says why. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Does nothing if the process is gone. */
  kill(signal: NodeJS.Signals): void;
}

const LOG_LINES = 10;

/**
 * Spawns a server through its guard. Call it from the main thread: the parent-death signal is sent when the thread that
 * spawned the server ends.
 */
export async function spawnServer(
  { guard, layout, program, credentials }: Installation,
  settings: ServerSettings,
): Promise<ServerProcess> {
  const { confFile, logFile } = layout;
  const [command = program.path, ...args] = [...guard.command, program.path, '-c', confFile];
  const logOffset = (await lstatIfThere(logFile))?.size ?? 0;
  // Standard error goes to the server's own log file: messages before that file is open, and the trace of a panic.
  const log = openForAppendSync(logFile);
  let child: ChildProcess;
  try {
    child = spawn(command, args, {
      // In a session of its own: Ctrl-C in a terminal must reach only Signalbox, which needs the log until it has drained.
      detached: true,
      stdio: ['ignore', 'ignore', log],
      env: { ...process.env, ...confEnvironment(layout, credentials, settings) },
    });
  } finally {
    closeSync(log);
  }
  killWithThisProcess(child);
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('error', (error) => {
      resolve({ code: null, signal: null, lastLogLines: [messageOf(error)] });
    });
    child.once('exit', (code, signal) => {
      const tail = lastLines(logFile, logOffset, LOG_LINES).catch((error: unknown) => [messageOf(error)]);
      void tail.then((lastLogLines) => resolve({ code, signal, lastLogLines }));
    });
  });
  return { pid: child.pid, exited, kill: (signal) => void child.kill(signal) };
}

const alive = new Set<ChildProcess>();

function killAll(): void {
  for (const child of alive) child.kill('SIGTERM');
}

/** For an orderly exit of this process on systems without a parent-death signal. */
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

/** Sends SIGTERM, SIGKILL after `graceMs`, and returns when the process is gone. */
export async function terminate(server: ServerProcess, graceMs: number): Promise<ServerExit> {
  server.kill('SIGTERM');
  const kill = setTimeout(() => server.kill('SIGKILL'), graceMs);
  try {
    return await server.exited;
  } finally {
    clearTimeout(kill);
  }
}
