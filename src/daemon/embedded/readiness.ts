import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { messageOf } from '../../contracts/errors.ts';
import type { Credentials } from './credentials.ts';
import { readIfThere } from './files.ts';

const POLL_MS = 5;
const ANSWER_TIMEOUT_MS = 5_000;

export type Readiness =
  | Readonly<{ kind: 'ready'; port: number }>
  /** The signal came first. */
  | Readonly<{ kind: 'not_ready'; reason: string }>;

/**
 * Waits until the server that writes `portsFile` has opened its port and answers a JetStream request there.
 * Ends when `signal` aborts; never rejects.
 */
export async function untilReady(
  portsFile: string,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Readiness> {
  let reason = 'it did not open its port';
  while (!signal.aborted) {
    try {
      const port = await readPort(portsFile);
      if (port !== undefined) {
        await askJetStream(port, credentials);
        return { kind: 'ready', port };
      }
    } catch (error) {
      reason = `it does not answer: ${messageOf(error)}`;
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return { kind: 'not_ready', reason };
}

/** The file in which the server `program` with this pid tells its port. */
export function portsFileOf(runDir: string, program: string, pid: number): string {
  return join(runDir, `${basename(program)}_${pid}.ports`);
}

/** Removes what servers that were killed left behind. To be called by the owner of the directory. */
export async function removeOtherPortsFiles(runDir: string, portsFile: string): Promise<void> {
  for (const name of await readdir(runDir)) {
    const file = join(runDir, name);
    if (file !== portsFile) await rm(file, { force: true });
  }
}

/** The port in a ports file: `{"nats":["nats://127.0.0.1:38071"]}`. */
async function readPort(portsFile: string): Promise<number | undefined> {
  const text = (await readIfThere(portsFile)) ?? '';
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
    // Asks $JS.API.INFO, and rejects when JetStream is off.
    await jetstreamManager(connection, { timeout: ANSWER_TIMEOUT_MS });
  } finally {
    await connection.close();
  }
}
