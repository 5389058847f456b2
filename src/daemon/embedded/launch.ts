/**
 * One run of nats-server, from spawn to ready. One server uses a directory at a time: it takes the lock before it starts
 * and holds it while it runs. No server outlives this process, however that ends (without `setpriv`: unless it is killed by
 * SIGKILL; then the lock keeps the next server from starting beside the one that is left).
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { readIfExists } from '../../base/files.ts';
import { limitedSignal } from '../../base/time.ts';
import { messageOf } from '../../contracts/errors.ts';
import type { Installation, ServerSettings } from './installation.ts';
import type { Credentials } from './layout.ts';
import { LOCK_HELD_EXIT_CODE, runningServer } from './running.ts';
import { type ServerExit, type ServerProcess, spawnServer, terminate } from './server-process.ts';

const POLL_MS = 5;
const ANSWER_TIMEOUT_MS = 5_000;

/** A server that answers. */
export interface ReadyServer extends ServerProcess {
  readonly pid: number;
  readonly port: number;
}

export type LaunchFailure = Readonly<{
  /** `in_use`: another server has the directory; `port_taken`: another program has the port. */
  kind: 'in_use' | 'port_taken' | 'failed' | 'aborted';
  /** The end of a sentence: what happened to the server. */
  reason: string;
}>;

export type LaunchResult = Readonly<{ kind: 'ready'; server: ReadyServer }> | LaunchFailure;

export const ABORTED: LaunchFailure = { kind: 'aborted', reason: 'it was told to stop' };
const IN_USE: LaunchFailure = { kind: 'in_use', reason: 'another server uses its directory' };

export type LaunchOptions = Readonly<{
  installation: Installation;
  settings: ServerSettings;
  /** Milliseconds that the server has to open its store and to answer. */
  readyTimeoutMs: number;
  /** Milliseconds between SIGTERM and SIGKILL if the launch fails. */
  stopGraceMs: number;
  signal: AbortSignal;
}>;

/**
 * Starts a server and waits until JetStream has answered on the port that the server reported. Never rejects. After a
 * failure no process is left.
 */
export async function launchServer(options: LaunchOptions): Promise<LaunchResult> {
  const { installation, settings, signal, stopGraceMs } = options;
  if (signal.aborted) return ABORTED;
  let server: ServerProcess | undefined;
  try {
    if (!installation.guard.locks && (await runningServer(installation.layout)) !== undefined) return IN_USE;
    server = await spawnServer(installation, settings);
    const result = await awaitReady(server, options);
    if (result.kind !== 'ready') await terminate(server, stopGraceMs);
    return result;
  } catch (error) {
    if (server !== undefined) await terminate(server, stopGraceMs);
    return { kind: 'failed', reason: messageOf(error) };
  }
}

/** The server may still run if this fails. */
async function awaitReady(server: ServerProcess, options: LaunchOptions): Promise<LaunchResult> {
  const { installation, signal, readyTimeoutMs } = options;
  const { runDir } = installation.layout;
  const { pid } = server;
  if (pid === undefined) return failure(await server.exited);
  const portsFile = join(runDir, `${basename(installation.program.path)}_${pid}.ports`);
  const gone = new AbortController();
  void server.exited.then(() => gone.abort());
  using limited = limitedSignal(AbortSignal.any([gone.signal, signal]), readyTimeoutMs);
  const found = await untilReady(portsFile, installation.credentials, limited.signal);
  if (gone.signal.aborted) return failure(await server.exited);
  if ('port' in found) {
    await removeOtherPortsFiles(runDir, portsFile);
    return { kind: 'ready', server: { ...server, pid, port: found.port } };
  }
  return signal.aborted
    ? ABORTED
    : { kind: 'failed', reason: `${found.problem} within ${readyTimeoutMs} ms` };
}

/**
 * Waits until the server that writes `portsFile` has opened its port and answers a JetStream request, or `signal` aborts.
 * Never rejects.
 */
async function untilReady(
  portsFile: string,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Readonly<{ port: number } | { problem: string }>> {
  let problem = 'it did not open its port';
  while (!signal.aborted) {
    try {
      const port = await readPort(portsFile);
      if (port !== undefined) {
        await askJetStream(port, credentials);
        return { port };
      }
    } catch (error) {
      problem = `it does not answer: ${messageOf(error)}`;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return { problem };
}

/** The port in a ports file: `{"nats":["nats://127.0.0.1:38071"]}`. */
async function readPort(portsFile: string): Promise<number | undefined> {
  const text = (await readIfExists(portsFile)) ?? '';
  const port = /"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function askJetStream(port: number, { user, password }: Credentials): Promise<void> {
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    user,
    pass: password,
    name: 'signalbox readiness',
    reconnect: false,
    timeout: ANSWER_TIMEOUT_MS,
    noAsyncTraces: true,
  });
  try {
    // Requests $JS.API.INFO, and rejects if JetStream is off.
    await jetstreamManager(connection, { timeout: ANSWER_TIMEOUT_MS });
  } finally {
    await connection.close();
  }
}

/** Removes what killed servers left behind. Only for the process that owns the directory. */
async function removeOtherPortsFiles(runDir: string, portsFile: string): Promise<void> {
  for (const name of await readdir(runDir)) {
    const file = join(runDir, name);
    if (file !== portsFile) await rm(file, { force: true });
  }
}

function failure(exit: ServerExit): LaunchFailure {
  if (exit.code === LOCK_HELD_EXIT_CODE) return IN_USE;
  if (exit.lastLogLines.some((line) => line.includes('address already in use')))
    return { kind: 'port_taken', reason: 'another program uses its port' };
  return { kind: 'failed', reason: describeExit(exit) };
}

/** How a server ended and what it logged last, in one line. */
export function describeExit({ code, signal, lastLogLines }: ServerExit): string {
  // Without `[pid] date time`, which each line of the log begins with.
  const said = lastLogLines
    .filter((line) => !/\[(INF|DBG|TRC|WRN)\]/.test(line))
    .map((line) => line.replace(/^\[\d+\] \S+ \S+ /, '').trim());
  const end = signal === null ? `it ended with exit status ${code}` : `it was killed by ${signal}`;
  return said.length === 0 ? end : `${end}: ${said.join('; ')}`;
}
