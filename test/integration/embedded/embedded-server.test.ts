import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection, type Status } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import type { EmbeddedServer } from '../../../src/daemon/embedded/server.ts';
import type { EmbeddedServerState } from '../../../src/daemon/embedded/supervision.ts';
import { embeddedServer, temporaryDirectory } from '../../support/nats/embedded.ts';
import { natsServerProgram } from '../../support/nats/nats.ts';
import { isRunning } from '../../support/process/processes.ts';
import { until } from '../../support/until.ts';

function connectTo(server: EmbeddedServer): Promise<NatsConnection> {
  const { url: servers, user, password: pass } = server;
  return connect({
    servers,
    user,
    pass,
    reconnectTimeWait: 20,
    maxReconnectAttempts: -1,
    noAsyncTraces: true,
  });
}

/** Resolves when the client reports a status of this type. */
async function status(connection: NatsConnection, type: Status['type']): Promise<void> {
  for await (const event of connection.status()) if (event.type === type) return;
}

/** A program that listens on a port of 127.0.0.1. */
async function occupied(port = 0): Promise<AsyncDisposable & { readonly port: number }> {
  const program = createServer();
  await new Promise<void>((resolve, reject) => {
    program.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const address = program.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => program.close(() => resolve())),
  };
}

describe.concurrent('embedded NATS server', () => {
  it('answers JetStream requests as soon as startEmbeddedServer returns', async () => {
    await using directory = await temporaryDirectory();
    await using embedded = await embeddedServer(directory.path);
    const connection = await connectTo(embedded.server);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'S', subjects: ['s'] });
    expect((await jetstream(connection).publish('s', 'x')).seq).toBe(1);
    expect(connection.info?.version).toBe(embedded.server.version);
    expect(embedded.states.map((state) => state.kind)).toEqual(['starting', 'ready']);
    await connection.close();
  });

  it('refuses a client without the password, which only this user can read', async () => {
    await using directory = await temporaryDirectory();
    await using embedded = await embeddedServer(directory.path);
    const { url: servers, user, password } = embedded.server;
    await expect(connect({ servers, reconnect: false })).rejects.toThrow(/authorization/i);
    await expect(connect({ servers, user, pass: 'wrong', reconnect: false })).rejects.toThrow(
      /authorization/i,
    );
    const file = join(directory.path, 'nats', 'credentials.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ user, password });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory.path, 'nats'))).mode & 0o777).toBe(0o700);
    expect(servers).not.toContain(password);
  });

  it.each(['with spaces', 'quote"apostrophe\'', '$HOME #{};=,\\', 'line\nbreak', '名前 ü', '12'])(
    'works in a data directory named %j',
    async (name) => {
      await using directory = await temporaryDirectory();
      await using embedded = await embeddedServer(join(directory.path, name));
      const connection = await connectTo(embedded.server);
      await (await jetstreamManager(connection)).streams.add({ name: 'S', subjects: ['s'] });
      expect(
        (await stat(join(embedded.server.storeDir, 'jetstream', 'SIGNALBOX', 'streams', 'S'))).isDirectory(),
      ).toBe(true);
      await connection.close();
    },
  );

  it('restarts on the same port after kill -9, with everything that was acknowledged', async () => {
    await using directory = await temporaryDirectory();
    await using embedded = await embeddedServer(directory.path);
    const { server, states } = embedded;
    const { url, pid = 0 } = server;
    const connection = await connectTo(server);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'S', subjects: ['s'] });
    const client = jetstream(connection);
    const acknowledged = await Promise.all(
      Array.from({ length: 500 }, (_, i) => client.publish('s', `${i}`)),
    );
    expect(acknowledged).toHaveLength(500);

    const reconnected = status(connection, 'reconnect');
    process.kill(pid, 'SIGKILL');
    await until(() => server.restarts === 1 && server.state.kind === 'ready', 'the restart');
    await reconnected;

    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(states.map((state) => state.kind)).toEqual([
      'starting',
      'ready',
      'restarting',
      'starting',
      'ready',
    ]);
    expect((await manager.streams.info('S')).state.messages).toBe(500);
    await connection.close();
  });

  it('keeps its port, its password and its messages when it is stopped and started again', async () => {
    await using directory = await temporaryDirectory();
    const addresses: unknown[] = [];
    for (const expected of [1, 2]) {
      await using embedded = await embeddedServer(directory.path);
      const { url, user, password } = embedded.server;
      addresses.push({ url, user, password });
      const connection = await connectTo(embedded.server);
      await (await jetstreamManager(connection)).streams.add({ name: 'S', subjects: ['s'] });
      expect((await jetstream(connection).publish('s', 'x')).seq).toBe(expected);
      await connection.close();
    }
    expect(addresses[1]).toEqual(addresses[0]);
  });

  it('leaves no server running after stop, even if called twice or during a restart', async () => {
    await using directory = await temporaryDirectory();
    for (const crash of [false, true]) {
      await using embedded = await embeddedServer(directory.path);
      const { server, states } = embedded;
      const { pid = 0 } = server;
      if (crash) {
        process.kill(pid, 'SIGKILL');
        await until(
          () => states.filter((state) => state.kind === 'starting').length === 2,
          'the second start',
        );
      }
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      expect(isRunning(pid)).toBe(false);
      expect(server.state).toEqual({ kind: 'stopped' });
      expect(server.pid).toBeUndefined();
      await expect(connectTo(server)).rejects.toThrow();
    }
  });

  it('keeps trying while it cannot be restarted, and can be stopped meanwhile', async () => {
    await using directory = await temporaryDirectory();
    const program = { ...(await natsServerProgram()), path: join(directory.path, 'nats-server') };
    const original = (await natsServerProgram()).path;
    const failedTries = (states: readonly EmbeddedServerState[]) =>
      states.filter((state) => state.kind === 'restarting' && state.reason.includes(program.path)).length;
    for (const comesBack of [true, false]) {
      await symlink(original, program.path);
      await using embedded = await embeddedServer(directory.path, { program });
      const { server, states } = embedded;
      await rm(program.path);
      process.kill(server.pid ?? 0, 'SIGKILL');
      await until(() => failedTries(states) === 2, 'two starts that failed');
      expect(server.pid).toBeUndefined();
      if (!comesBack) continue;
      await symlink(original, program.path);
      await until(() => server.state.kind === 'ready', 'the restart');
      expect(server.restarts).toBe(1);
      await rm(program.path);
    }
  });

  it('limits the store to the configured size', async () => {
    await using directory = await temporaryDirectory();
    await using embedded = await embeddedServer(directory.path, { maxFileBytes: 5_000_000 });
    const connection = await connectTo(embedded.server);
    const manager = await jetstreamManager(connection);
    await expect(manager.streams.add({ name: 'S', subjects: ['s'], max_bytes: 6_000_000 })).rejects.toThrow(
      /storage/,
    );
    await connection.close();
  });

  it('takes another port if the one of the last start is taken', async () => {
    await using directory = await temporaryDirectory();
    await using other = await occupied();
    await mkdir(join(directory.path, 'nats'));
    await writeFile(join(directory.path, 'nats', 'port'), `${other.port}\n`);
    await using embedded = await embeddedServer(directory.path);
    expect(embedded.server.url).not.toContain(`:${other.port}`);
  });
});

describe.concurrent('a start that fails', () => {
  it('lets one of two simultaneous starts use the directory and refuses the other', async () => {
    await using directory = await temporaryDirectory();
    const starts = await Promise.allSettled([embeddedServer(directory.path), embeddedServer(directory.path)]);
    const started = starts.filter((start) => start.status === 'fulfilled').map((start) => start.value);
    const refused = starts.filter((start) => start.status === 'rejected').map((start) => start.reason);
    try {
      expect(started).toHaveLength(1);
      expect(refused).toMatchObject([
        { code: 'log_in_use', message: expect.stringContaining(join(directory.path, 'nats')) },
      ]);
      for (const { server } of started) {
        await (await connectTo(server)).close();
        expect(server.restarts).toBe(0);
      }
    } finally {
      for (const { server } of started) await server.stop();
    }
  });

  it('refuses a second start also on a system without flock', async () => {
    await using directory = await temporaryDirectory();
    await using first = await embeddedServer(directory.path, { env: {} });
    await expect(embeddedServer(directory.path, { env: {} })).rejects.toMatchObject({
      code: 'log_in_use',
      details: { pid: first.server.pid },
    });
  });

  it('reports that the port is taken', async () => {
    await using directory = await temporaryDirectory();
    await using other = await occupied();
    await expect(embeddedServer(directory.path, { port: other.port })).rejects.toMatchObject({
      code: 'address_in_use',
      message: expect.stringContaining(`127.0.0.1:${other.port}`),
    });
  });

  it("repeats the server's message about a wrong configuration", async () => {
    await using directory = await temporaryDirectory();
    const confFile = join(directory.path, 'wrong.conf');
    await writeFile(confFile, 'max_payloads: 1MB\n');
    await expect(embeddedServer(directory.path, { confFile })).rejects.toMatchObject({
      code: 'nats_unavailable',
      message: expect.stringContaining('nats-server.conf:1:0: unknown field "max_payloads"'),
    });
  });

  it('reports a directory that is not writable', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(embeddedServer(join(file, 'data'))).rejects.toMatchObject({
      code: 'nats_unavailable',
      message: expect.stringContaining(file),
    });
  });

  it('reports that an old server cannot sync each message', async () => {
    await using directory = await temporaryDirectory();
    const program = { path: '/usr/sbin/nats-server', version: '2.9.10', origin: 'path' } as const;
    await expect(embeddedServer(directory.path, { program, sync: 'always' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('2.9.10'),
    });
  });
});
