/** The embedded server in a temporary directory, for its tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../../src/daemon/embedded/server.ts';
import type { EmbeddedServerState } from '../../../src/daemon/embedded/supervision.ts';
import { natsServerProgram } from './nats.ts';

/** A temporary directory that is removed at the end of the scope. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'signalbox-embedded-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The embedded server on `dataDir`, stopped at the end of the scope; `states` lists all states it has entered. */
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
