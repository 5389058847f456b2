/** What is hurt: one Signalbox with a NATS server of its own, or a leader and a standby beside a NATS server. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf } from '../../../src/daemon/embedded/layout.ts';
import { natsServer, type TestNatsServer } from '../nats/nats.ts';
import { freePort } from '../process/free-port.ts';
import type { Random } from '../simulation/random.ts';
import { chaosConfig, notesOf } from './agents.ts';
import { ChaosNode, type NodeSettings } from './node.ts';

export const MODES = ['embedded', 'standby'] as const;
export type Mode = (typeof MODES)[number];

export interface Takeover {
  /** From the blow to the leader until the other one was ready. */
  readonly milliseconds: number;
  /** Whether nats-server was hit shortly before or meanwhile. */
  readonly disturbed: boolean;
}

/** Milliseconds that a nats-server which was hit needs to be itself again. */
const DISTURBED_MS = 3_000;

export class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly nodes: ChaosNode[] = [];
  /** What makes the command line find the log. */
  readonly env: Readonly<Record<string, string>>;
  /** Why processes of Signalbox ended that were not killed. */
  readonly ends: string[] = [];
  readonly takeovers: Takeover[] = [];
  /** null if each Signalbox starts its own. */
  readonly nats: TestNatsServer | null;
  #leader: ChaosNode | null = null;
  #natsHitAt = Number.NEGATIVE_INFINITY;
  #struck: { readonly node: ChaosNode; readonly at: number } | null = null;

  private constructor(directory: string, nats: TestNatsServer | null) {
    this.directory = directory;
    this.nats = nats;
    const { user, pass } = nats?.connectOptions ?? {};
    this.env = nats ? { NATS_URL: nats.url.replace('nats://', `nats://${user}:${pass}@`) } : {};
  }

  static async open(mode: Mode, random: Random): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-chaos-'));
    await mkdir(notesOf(directory));
    const stage = new Stage(directory, mode === 'standby' ? await natsServer() : null);
    try {
      for (const name of mode === 'standby' ? ['first', 'second'] : ['only']) {
        await stage.#add({ name, standby: mode === 'standby', random });
      }
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where a Signalbox was ready last. */
  get url(): string {
    return this.#leader?.url ?? '';
  }

  get leader(): ChaosNode | null {
    return this.#leader;
  }

  /** null while it is down. */
  async natsPid(): Promise<number | null> {
    if (this.nats) return this.nats.pid ?? null;
    const { pidFile, directory } = layoutOf(join(this.directory, 'data'));
    const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
    // The file outlives a server that was killed, and its number may be another's by now.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return command.includes(directory) ? pid : null;
  }

  /** From now on the time runs until another one is ready. */
  noteBlow(node: ChaosNode): void {
    if (node === this.#leader) this.#struck ??= { node, at: performance.now() };
  }

  /** To be called when nats-server is hit, and when it goes on. */
  noteNatsHit(): void {
    this.#natsHitAt = performance.now();
  }

  /** The leader goes on as if nothing had been. */
  forgetBlow(): void {
    this.#struck = null;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
    await this.nats?.stop();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #add(settings: Pick<NodeSettings, 'name' | 'standby' | 'random'>): Promise<void> {
    const events = {
      onReady: (node: ChaosNode) => this.#onReady(node),
      onEnd: (reason: string) => void this.ends.push(reason),
    };
    const { directory, env } = this;
    const config = chaosConfig(directory);
    // A port that agents can count on: a Signalbox that is started again has it again.
    const port = await freePort();
    this.nodes.push(await ChaosNode.start({ ...settings, config, env, port, events }));
  }

  #onReady(node: ChaosNode): void {
    if (this.#struck && this.#struck.node !== node) {
      const milliseconds = Math.round(performance.now() - this.#struck.at);
      const disturbed = this.#natsHitAt > this.#struck.at - DISTURBED_MS;
      this.takeovers.push({ milliseconds, disturbed });
    }
    this.#struck = null;
    this.#leader = node;
  }
}
