/** BullMQ and Signalbox on the same work in the same run. What is missing for it is said, and nothing is measured. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openBenchEngine, runLifecycles } from '../support/engine.ts';
import { atLeast, type Figure, medianBy, shown } from '../support/figure.ts';
import { startBenchServer } from '../support/server.ts';

const LIVES = 12_000;
const IN_FLIGHT = 256;
const ROUNDS = 3;
const BYTES = 250;

const PEERS = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));

interface Rate {
  readonly livesPerSecond: number;
  readonly cpuMicros: number;
}

export async function peers(): Promise<Figure[]> {
  const missing = await whatIsMissing();
  if (missing !== null) {
    console.log(`peers: not measured: ${missing}`);
    return [];
  }
  const rounds: { readonly ours: Rate; readonly bullmq: Rate }[] = [];
  // Alternating, because the speed of the machine varies.
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ bullmq: await bullmq(), ours: await signalbox() });
  }
  const { ours, bullmq: theirs } = medianBy(
    rounds,
    (each) => each.ours.livesPerSecond / each.bullmq.livesPerSecond,
  );
  return [
    {
      key: 'peer_ratio',
      value: ours.livesPerSecond / theirs.livesPerSecond,
      goal: atLeast(1.2),
      note:
        `${shown(ours.livesPerSecond)} lives/s with the whole history, ${shown(ours.cpuMicros)} µs each; BullMQ with one worker, Redis ` +
        `appendfsync everysec, no history: ${shown(theirs.livesPerSecond)}, ${shown(theirs.cpuMicros)} µs; ${IN_FLIGHT} in flight`,
    },
  ];
}

async function whatIsMissing(): Promise<string | null> {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'redis-server is not on the PATH: install it, for example with "apt-get install redis-server"';
  }
  const isInstalled = await access(join(PEERS, 'node_modules', 'bullmq')).then(
    () => true,
    () => false,
  );
  return isInstalled ? null : 'BullMQ is not installed: run "npm ci --prefix bench/peers"';
}

async function signalbox(): Promise<Rate> {
  const server = await startBenchServer();
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, IN_FLIGHT);
    const work = { description: 'x'.repeat(BYTES) };
    await runLifecycles(engine, LIVES / 4, IN_FLIGHT, work);
    const before = process.cpuUsage();
    const seconds = await runLifecycles(engine, LIVES, IN_FLIGHT, work);
    const { user, system } = process.cpuUsage(before);
    await engine.stop('measured');
    return { livesPerSecond: LIVES / seconds, cpuMicros: (user + system) / LIVES };
  } finally {
    await server.stop();
  }
}

async function bullmq(): Promise<Rate> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-redis-'));
  const port = await freePort();
  const redis = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'],
    { stdio: 'ignore' },
  );
  try {
    await once(redis, 'spawn');
    const work = JSON.stringify({ port, lives: LIVES, inFlight: IN_FLIGHT, bytes: BYTES });
    const { stdout } = await promisify(execFile)(process.execPath, ['bullmq.mjs', work], { cwd: PEERS });
    return JSON.parse(stdout) as Rate;
  } finally {
    if (redis.exitCode === null) {
      const ended = once(redis, 'exit');
      redis.kill();
      await ended;
    }
    await rm(directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
