/** A private nats-server, started as Signalbox starts its embedded one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { obtainNatsServer } from '../../src/daemon/embedded/obtain.ts';
import { startEmbeddedServer } from '../../src/daemon/embedded/server.ts';
import { connectTo, type NatsAddress } from '../../src/daemon/nats-address.ts';

export interface BenchServer {
  readonly version: string;
  readonly pid: number | undefined;
  readonly directory: string;
  readonly storeDir: string;
  readonly address: NatsAddress;
  connect(): Promise<NatsConnection>;
  stop(): Promise<void>;
}

export async function startBenchServer(): Promise<BenchServer> {
  const logger = pino({ level: 'warn' });
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const program = await obtainNatsServer({ logger, env: process.env });
  const server = await startEmbeddedServer({ dataDir: directory, program, logger, env: process.env });
  const connections: NatsConnection[] = [];
  const address = { servers: server.url, user: server.user, pass: server.password };
  return {
    version: server.version,
    get pid() {
      return server.pid;
    },
    directory,
    storeDir: server.storeDir,
    address,
    connect: async () => {
      const connection = await connectTo(address);
      connections.push(connection);
      return connection;
    },
    stop: async () => {
      for (const connection of connections) await connection.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
