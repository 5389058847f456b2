/** An OpenClaw Gateway of its own: its state in a directory that goes away with it, its port on loopback, no channels. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const READY_MS = 180_000;

/**
 * @param {{ directory: string, openclaw: readonly string[], modelUrl: string, token: string }} options
 * @returns {Promise<{ url: string, env: Record<string, string>, close: () => Promise<void> }>}
 */
export async function startGateway({ directory, openclaw, modelUrl, token }) {
  const port = await freePort();
  const home = join(directory, 'openclaw');
  mkdirSync(join(home, 'workspace'), { recursive: true });
  const config = join(home, 'openclaw.json');
  writeFileSync(
    config,
    JSON.stringify(configuration({ port, token, modelUrl, workspace: join(home, 'workspace') }), null, 2),
  );
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    OPENCLAW_STATE_DIR: home,
    OPENCLAW_CONFIG_PATH: config,
    OPENCLAW_GATEWAY_TOKEN: token,
    OPENCLAW_SKIP_CHANNELS: '1',
    OPENCLAW_NO_RESPAWN: '1',
    OPENCLAW_DISABLE_BONJOUR: '1',
  };
  const log = join(directory, 'gateway.log');
  const [program = '', ...args] = openclaw;
  const out = openSync(log, 'w');
  const child = spawn(program, [...args, 'gateway', 'run'], {
    env,
    stdio: ['ignore', out, out],
    detached: true,
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const close = async () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
    } catch {
      return; // it is gone
    }
    await Promise.race([exited, pause(10_000)]);
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // it went by itself
    }
  };
  try {
    await untilHealthy(`http://127.0.0.1:${port}/healthz`, child);
  } catch (error) {
    await close();
    throw new Error(
      `the Gateway did not start: ${error.message}\n${readFileSync(log, 'utf8').slice(-2_000)}`,
    );
  }
  return { url: `ws://127.0.0.1:${port}`, env, close };
}

function configuration({ port, token, modelUrl, workspace }) {
  const model = {
    id: 'echo',
    name: 'echo',
    reasoning: false,
    input: ['text'],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens: 4_096,
  };
  return {
    gateway: { mode: 'local', port, bind: 'loopback', auth: { mode: 'token', token } },
    agents: { defaults: { workspace, model: { primary: 'stub/echo' } } },
    models: {
      catalogRefresh: { enabled: false },
      providers: { stub: { baseUrl: modelUrl, apiKey: 'none', api: 'openai-completions', models: [model] } },
    },
    update: { checkOnStart: false },
  };
}

/** Startup takes from 7 to more than 18 seconds. */
async function untilHealthy(url, child) {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`it exited with code ${child.exitCode}`);
    const isLive = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isLive) return;
    await pause(250);
  }
  throw new Error(`no answer from ${url}`);
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  await new Promise((resolve) => server.close(() => resolve(undefined)));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
