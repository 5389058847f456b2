/** What the tests of the embedded server share. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  type EmbeddedServerState,
  startEmbeddedServer,
} from '../../../src/daemon/embedded/server.ts';
import { natsServerProgram } from './nats.ts';

/** A temporary directory that is removed at the end of the scope. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'signalbox-embedded-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The embedded server on `dataDir`, stopped at the end of the scope; `states` are all that it has entered. */
export async function embeddedServer(
  dataDir: string,
  options: Partial<EmbeddedServerOptions> = {},
): Promise<
  AsyncDisposable & { readonly server: EmbeddedServer; readonly states: readonly EmbeddedServerState[] }
> {
  const states: EmbeddedServerState[] = [];
  const server = await startEmbeddedServer({
    dataDir,
    program: await natsServerProgram(),
    logger: pino({ level: 'silent' }),
    env: process.env,
    onState: (state) => states.push(state),
    ...options,
  });
  return { server, states, [Symbol.asyncDispose]: () => server.stop() };
}

/** Whether the process runs. One that ended and that nobody has reaped yet (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export { until } from '../until.ts';
