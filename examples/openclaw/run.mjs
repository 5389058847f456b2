/**
 * The real OpenClaw under Signalbox, with a model that is a stub: one task for the full agent by `openclaw agent`, one
 * for a subagent inside the Gateway. Both come to review.
 *
 *     npm run build && node examples/openclaw/run.mjs
 *
 * OpenClaw needs Node 24. Without OPENCLAW_BIN both are fetched from npm into the cache of npx, for this run only.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSignalbox } from '../../dist/src/index.js';
import { startGateway } from './gateway.mjs';
import { startModelServer } from './model-server.mjs';

const VERSION = '2026.9.6';
const TOKEN = 'a-token-for-this-run';
const PATIENCE_MS = 240_000;

/** OPENCLAW_BIN: the command, words separated by blanks. */
const openclaw = process.env.OPENCLAW_BIN?.split(' ') ?? [
  'npx',
  '--yes',
  '-p',
  'node@24',
  '-p',
  `openclaw@${VERSION}`,
  'openclaw',
];

const directory = mkdtempSync(join(tmpdir(), 'signalbox-openclaw-'));
const closing = [];
let exitCode = 1;
try {
  const model = await startModelServer('It is all done.');
  closing.push(() => model.close());
  console.log('starting an OpenClaw Gateway …');
  const gateway = await startGateway({ directory, openclaw, modelUrl: model.url, token: TOKEN });
  closing.push(() => gateway.close());
  const signalbox = await createSignalbox({
    config: {
      data_dir: join(directory, 'signalbox'),
      server: { port: 0 },
      drivers: { openclaw: { program: programOf(openclaw) } },
      defaults: { review: 'manual', timeout_seconds: PATIENCE_MS / 1_000, max_attempts: 1 },
      agents: {
        full: { driver: 'openclaw', env: gateway.env },
        sub: { driver: 'openclaw-gateway', url: gateway.url, mode: 'subagent' },
      },
      shutdown: { agents: 'kill' },
    },
    env: { ...process.env, OPENCLAW_GATEWAY_TOKEN: TOKEN },
    http: true,
  });
  closing.push(() => signalbox.stop());
  const reviews = await Promise.all(['full', 'sub'].map((agent) => untilReview(signalbox, agent)));
  exitCode = reviews.every(Boolean) ? 0 : 1;
  console.log(`the model was asked ${model.requests()} times`);
} finally {
  for (const close of closing.toReversed()) await close();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(exitCode);

async function untilReview(signalbox, agent) {
  await signalbox.createTask({ project: 'demo', id: agent, title: `Say that it is done (${agent})`, agent });
  const end = Date.now() + PATIENCE_MS;
  const ref = { project: 'demo', task: agent };
  let task = await signalbox.readTask(ref);
  while (Date.now() < end && !['review', 'failed', 'blocked'].includes(task.status)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    task = await signalbox.readTask(ref);
  }
  const { attempts, outputs } = await signalbox.readTask({ ...ref, expand: 'all' });
  const [attempt] = attempts;
  console.log(`task ${agent}: ${task.status}`);
  console.log(
    `  attempt 1 by driver ${attempt?.driver}: ${attempt?.outcome ?? attempt?.status}${attempt?.error ? `: ${attempt.error}` : ''}`,
  );
  console.log(`  session ${attempt?.session}, usage ${JSON.stringify(attempt?.usage)}`);
  for (const { content } of outputs) console.log(`  output: ${content}`);
  return task.status === 'review';
}

/** A driver's program is one word. */
function programOf(words) {
  if (words.length === 1) return words[0];
  const file = join(directory, 'openclaw.sh');
  writeFileSync(
    file,
    `#!/bin/sh\nexec ${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')} "$@"\n`,
  );
  chmodSync(file, 0o755);
  return file;
}
