/**
 * One run of nats-server, from spawn to ready.
 *
 * E1 One server per directory: the lock is taken before the server starts and goes with its process.
 * E2 No server outlives this process, however it ends (without `setpriv`: unless it is ended by SIGKILL; then E1 keeps
 *    the next server from starting beside the one that was left).
 * E3 A server counts as ready only when JetStream has answered on the port that the server reported itself.
 */
import { messageOf, unreachable } from '../../contracts/errors.ts';
import type { ServerSettings } from './conf.ts';
import { LOCK_HELD_EXIT_CODE, runningServer } from './guard.ts';
import type { Installation } from './prepare.ts';
import { portsFileOf, removeOtherPortsFiles, untilReady } from './readiness.ts';
import { type ServerExit, type ServerProcess, spawnServer, terminate } from './server-process.ts';

/** A server that answers. */
export interface ReadyServer extends ServerProcess {
  readonly pid: number;
  readonly port: number;
}

export type LaunchFailure =
  /** Another server has the directory. */
  | Readonly<{ kind: 'in_use' }>
  /** Another program has the port. */
  | Readonly<{ kind: 'port_taken' }>
  | Readonly<{ kind: 'failed'; reason: string }>
  | Readonly<{ kind: 'aborted' }>;

export type LaunchResult = Readonly<{ kind: 'ready'; server: ReadyServer }> | LaunchFailure;

export type LaunchOptions = Readonly<{
  installation: Installation;
  settings: ServerSettings;
  /** Milliseconds that the server has to open its store and to answer. */
  readyTimeoutMs: number;
  /** Milliseconds between SIGTERM and SIGKILL for a server that is not wanted any more. */
  stopGraceMs: number;
  signal: AbortSignal;
}>;

/** Starts a server and waits until it is ready (E3). Never rejects. After a failure no process is left. */
export async function launchServer(options: LaunchOptions): Promise<LaunchResult> {
  const { installation, settings, signal, stopGraceMs } = options;
  if (signal.aborted) return { kind: 'aborted' };
  let server: ServerProcess | undefined;
  try {
    if (!installation.guard.locks && (await runningServer(installation.layout)) !== undefined) {
      return { kind: 'in_use' };
    }
    server = await spawnServer(installation, settings);
    const result = await awaitReady(server, options);
    if (result.kind !== 'ready') await terminate(server, stopGraceMs);
    return result;
  } catch (error) {
    if (server !== undefined) await terminate(server, stopGraceMs);
    return { kind: 'failed', reason: messageOf(error) };
  }
}

/** The server may still run when this fails. */
async function awaitReady(server: ServerProcess, options: LaunchOptions): Promise<LaunchResult> {
  const { installation, signal, readyTimeoutMs } = options;
  const { layout, credentials, program } = installation;
  const { pid } = server;
  if (pid === undefined) return failure(await server.exited);
  const portsFile = portsFileOf(layout.runDir, program.path, pid);
  const gone = new AbortController();
  void server.exited.then(() => gone.abort());
  const deadline = AbortSignal.timeout(readyTimeoutMs);
  const readiness = await untilReady(
    portsFile,
    credentials,
    AbortSignal.any([gone.signal, signal, deadline]),
  );
  if (gone.signal.aborted) return failure(await server.exited);
  switch (readiness.kind) {
    case 'ready':
      await removeOtherPortsFiles(layout.runDir, portsFile);
      return { kind: 'ready', server: { ...server, pid, port: readiness.port } };
    case 'not_ready':
      if (signal.aborted) return { kind: 'aborted' };
      return { kind: 'failed', reason: `${readiness.reason} within ${readyTimeoutMs} ms` };
    default:
      return unreachable(readiness, 'readiness');
  }
}

function failure(exit: ServerExit): LaunchFailure {
  if (exit.code === LOCK_HELD_EXIT_CODE) return { kind: 'in_use' };
  if (exit.lastLogLines.some((line) => line.includes('address already in use')))
    return { kind: 'port_taken' };
  return { kind: 'failed', reason: describeExit(exit) };
}

/** Why a launch failed, as the end of a sentence. */
export function describeFailure(failure: LaunchFailure): string {
  switch (failure.kind) {
    case 'in_use':
      return 'another server has its directory';
    case 'port_taken':
      return 'another program has its port';
    case 'failed':
      return failure.reason;
    case 'aborted':
      return 'it was told to stop';
    default:
      return unreachable(failure, 'launch failure');
  }
}

/** How a server ended and what it said last, in one line. */
export function describeExit({ code, signal, lastLogLines }: ServerExit): string {
  const said = lastLogLines.filter((line) => !/\[(INF|DBG|TRC|WRN)\]/.test(line)).map(withoutPrefix);
  const end = signal === null ? `it ended with exit status ${code}` : `it was ended by ${signal}`;
  return said.length === 0 ? end : `${end}: ${said.join('; ')}`;
}

/** Takes `[pid] date time` off a line of the server's log. */
function withoutPrefix(line: string): string {
  return line.replace(/^\[\d+\] \S+ \S+ /, '').trim();
}
