/** What a user waits for at the command line, compared with the start of Node itself. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { obtainNatsServer } from '../../src/daemon/embedded/obtain.ts';
import { atMost, type Figure, percentile, shown } from '../support/figure.ts';

const ROUNDS = 9;
const COLD_ROUNDS = 5;
const CLI = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export async function start(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-start-'));
  const running: ChildProcess[] = [];
  try {
    // Not a part of the start: it is fetched once.
    await obtainNatsServer({ logger: pino({ level: 'warn' }), env: process.env });
    await writeFile(join(directory, 'signalbox.config.yaml'), 'server: { port: 0 }\n');
    const node: number[] = [];
    const cold: number[] = [];
    for (let round = 0; round < COLD_ROUNDS; round++) {
      node.push(await timeOf(() => run(['-e', '0'])));
      const up = await startUp(directory, `data-${round}`);
      running.push(up.child);
      cold.push(up.ms);
      if (round < COLD_ROUNDS - 1) await end(up.child);
      else {
        const env = { SIGNALBOX_URL: up.url };
        const tasks: number[] = [];
        for (let each = 0; each < ROUNDS; each++) {
          node.push(await timeOf(() => run(['-e', '0'])));
          tasks.push(await timeOf(() => run([CLI, 'task', 'ls'], env)));
        }
        return figuresOf(percentile(node, 0.5), percentile(cold, 0.5), percentile(tasks, 0.5));
      }
    }
    return [];
  } finally {
    for (const child of running) await end(child);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function figuresOf(node: number, cold: number, tasks: number): Figure[] {
  const over = `over "node -e 0" (${shown(node)} ms)`;
  return [
    {
      key: 'cold_start_ratio',
      value: cold / node,
      goal: atMost(8),
      note: `"signalbox up" on an empty log until it is ready (${shown(cold)} ms) ${over}`,
    },
    {
      key: 'cli_start_ratio',
      value: tasks / node,
      goal: atMost(2.5),
      note: `"signalbox task ls" (${shown(tasks)} ms) ${over}`,
    },
  ];
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  return promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
}

interface Up {
  readonly child: ChildProcess;
  readonly ms: number;
  readonly url: string;
}

/** Starts `signalbox up` and waits for the line that says that it is ready. */
async function startUp(directory: string, data: string): Promise<Up> {
  const begun = performance.now();
  const child = spawn(process.execPath, [CLI, 'up', '--data-dir', data, '--log-level', 'error'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const url = /http:\/\/[^\s/]+/.exec(text)?.[0];
    if (url !== undefined) return { child, ms: performance.now() - begun, url };
  }
  throw new Error(`"signalbox up" ended without a ready line: ${text}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
