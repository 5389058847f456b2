/** A real nats-server with a configuration from the test, on its own port and store, stopped at the end of the scope. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithParent } from '../process/die-with-parent.ts';
import { freePort } from '../process/free-port.ts';
import { until } from '../until.ts';
import { natsServerProgram } from './nats.ts';

export interface ConfiguredNats extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
}

/** @param conf who may connect, and how; JetStream is enabled already */
export async function configuredNats(conf: string): Promise<ConfiguredNats> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-nats-conf-'));
  const port = await freePort();
  const file = join(directory, 'nats.conf');
  const store = `jetstream { store_dir: "${directory}", max_mem: 64M, max_file: 4G }`;
  await writeFile(file, `listen: "127.0.0.1:${port}"\n${store}\n${conf}\n`);
  const { path } = await natsServerProgram();
  const [program = path, ...args] = [...(await dieWithParent(directory)), path, '-c', file];
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit');
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await until(() => server.exitCode !== null || answers(port), 'nats-server listens');
    if (server.exitCode !== null) throw new Error(`nats-server ended:\n${output}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: `127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('data', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => resolve(false)).setTimeout(1_000, () => socket.destroy());
    socket.once('data', () => socket.destroy());
  });
}
