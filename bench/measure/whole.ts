/** A whole Signalbox and its NATS server as separate processes: their memory, and the time to recover from kill -9. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atMost, type Figure, shown } from '../support/figure.ts';

const MB = 1_000_000;
const LIVE = 10_000;
const DELAYED = 100_000;
const A_DAY = 86_400;
/** Milliseconds after which an idle Signalbox has released unused memory. */
const CALM_MS = 20_000;

interface Message {
  readonly kind: 'ready' | 'started' | 'created';
  readonly afterMs?: number;
  readonly natsPid?: number | null;
}

class Whole {
  readonly #child: ChildProcess;
  readonly #messages: Message[] = [];
  #wake: () => void = () => {};

  constructor(directory: string) {
    this.#child = fork(fileURLToPath(new URL('../support/whole-child.js', import.meta.url)), [directory], {
      execArgv: ['--max-semi-space-size=64'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: Message) => {
      this.#messages.push(message);
      this.#wake();
    });
    this.#child.on('exit', () => this.#wake());
  }

  /** The first message of a kind. */
  async message(kind: Message['kind']): Promise<Message> {
    for (;;) {
      const found = this.#messages.find((message) => message.kind === kind);
      if (found) return found;
      if (this.#child.exitCode !== null) throw new Error(`Signalbox ended with ${this.#child.exitCode}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async create(count: number, delaySeconds: number): Promise<void> {
    this.#child.send({ count, delaySeconds });
    await this.message('created');
  }

  /** Megabytes, nats-server included. */
  async residentMb(): Promise<number> {
    const { natsPid } = await this.message('ready');
    await sleep(CALM_MS);
    return ((await residentBytes(this.#child.pid)) + (await residentBytes(natsPid))) / MB;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

async function residentBytes(pid: number | null | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
}

export async function whole(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-whole-'));
  try {
    return [
      ...(await idleAndDelayed(join(directory, 'memory'))),
      await recovery(join(directory, 'recovery')),
    ];
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function idleAndDelayed(directory: string): Promise<Figure[]> {
  const signalbox = new Whole(directory);
  await signalbox.message('ready');
  const idle = await signalbox.residentMb();
  await signalbox.create(DELAYED, A_DAY);
  const delayed = await signalbox.residentMb();
  await signalbox.end('SIGKILL');
  return [
    {
      key: 'idle_mb',
      value: idle,
      goal: atMost(100),
      note: 'resident memory when idle, nats-server included',
    },
    {
      key: 'delayed_100k_mb',
      value: delayed,
      goal: atMost(250),
      note: `the same with ${shown(DELAYED)} delayed tasks`,
    },
  ];
}

/** Time from the start after a kill -9 with many live tasks to the first handler. */
async function recovery(directory: string): Promise<Figure> {
  const first = new Whole(directory);
  await first.message('ready');
  await first.create(LIVE, A_DAY);
  // Some of these wait for a slot at the kill: the next start can run one at once.
  await first.create(8, 0);
  await first.message('started');
  await first.end('SIGKILL');
  const second = new Whole(directory);
  const { afterMs = Number.NaN } = await second.message('started');
  const ready = (await second.message('ready')).afterMs ?? Number.NaN;
  await second.end('SIGKILL');
  return {
    key: 'recover_10k_s',
    value: afterMs / 1_000,
    goal: atMost(1.2),
    note: `from process start to the first handler, with ${shown(LIVE)} live tasks; ready after ${shown(ready / 1_000)} s, start of nats-server included`,
  };
}
