/**
 * A supervised Signalbox: whenever its process ends, it is started again after a while, as a service
 * manager would do it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Sandbox } from '../process/signalbox-process.ts';
import type { Random } from '../simulation/random.ts';

export interface NodeEvents {
  /** It writes the log from now on. */
  readonly onReady: (node: ChaosNode) => void;
  /** It has ended without having been killed. */
  readonly onEnd: (reason: string) => void;
}

export interface NodeSettings {
  readonly name: string;
  readonly config: object;
  readonly env: Readonly<Record<string, string>>;
  readonly standby: boolean;
  readonly port: number;
  readonly random: Random;
  readonly events: NodeEvents;
}

/** Maximum milliseconds until it is started again. */
const RESTART_MS = 1_000;

export class ChaosNode {
  readonly name: string;
  readonly #settings: NodeSettings;
  readonly #sandbox: Sandbox;
  #keeping: Promise<void> = Promise.resolve();
  #isKept = true;
  #isKilled = false;
  #isReady = false;
  starts = 0;

  private constructor(settings: NodeSettings, sandbox: Sandbox) {
    this.name = settings.name;
    this.#settings = settings;
    this.#sandbox = sandbox;
  }

  static async start(settings: NodeSettings): Promise<ChaosNode> {
    const { config, port, env } = settings;
    const level = { SIGNALBOX_LOG_LEVEL: 'warn' };
    const sandbox = await Sandbox.create({ config, port, env: { ...level, ...env } });
    const node = new ChaosNode(settings, sandbox);
    node.#keeping = node.#keep();
    return node;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number {
    return this.#sandbox.pid;
  }

  get url(): string {
    return this.#sandbox.url;
  }

  /** @returns whether there was a process to take it */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
    if (signal === 'SIGKILL') this.#isKilled = true;
    return this.#sandbox.signal(signal);
  }

  /** Stops it in good order; it is not started again. */
  async stop(): Promise<void> {
    this.#isKept = false;
    await this.#sandbox.kill('SIGTERM');
    await this.#keeping;
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.#sandbox[Symbol.asyncDispose]();
  }

  async #keep(): Promise<void> {
    const { standby, random, events } = this.#settings;
    while (this.#isKept) {
      this.starts++;
      this.#isKilled = false;
      try {
        await (standby ? this.#sandbox.standBy() : this.#sandbox.launch());
        await this.#sandbox.ready();
        this.#isReady = true;
        events.onReady(this);
      } catch {
        // It ended before it was ready: what it said is read below.
      }
      const { code, stderr } = await this.#sandbox.exited();
      this.#isReady = false;
      if (!this.#isKilled && this.#isKept)
        events.onEnd(`${this.name} ended with ${code}: ${lastWord(stderr)}`);
      if (this.#isKept) await delay(random.int(0, RESTART_MS));
    }
  }
}

/** What it said of its end: its last line of an error, with where that came from. */
function lastWord(stderr: string): string {
  const lines = stderr.trimEnd().split('\n');
  const last = lines.findLast((line) => /^signalbox: |"level":60/.test(line)) ?? lines.at(-1) ?? '';
  try {
    const { msg, err } = JSON.parse(last) as { msg: string; err?: { stack: string } };
    return err ? `${msg}: ${err.stack}` : msg;
  } catch {
    return last;
  }
}
