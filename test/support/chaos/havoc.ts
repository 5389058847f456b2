/** Kills, and stops for a while, whatever lives: at random moments, from a seed. */
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../simulation/random.ts';
import type { ChaosNode } from './node.ts';
import { aliveAgents } from './notes.ts';
import type { Stage } from './stage.ts';

export const BLOWS = [
  'kill signalbox',
  'stop signalbox',
  'kill standby',
  'kill nats-server',
  'stop nats-server',
  'kill agent',
  'stop agent',
] as const;
export type Blow = (typeof BLOWS)[number];

/** Milliseconds for which something is stopped. */
const BRIEFLY: readonly [number, number] = [100, 1_500];
/** Longer than a leader may miss the renewals of its lease. */
const FOR_LONG: readonly [number, number] = [4_500, 7_000];

const LOOK_MS = 20;

export class Havoc {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #blows = new Map<Blow, number>(BLOWS.map((blow) => [blow, 0]));
  readonly #end = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, random: Random) {
    this.#stage = stage;
    this.#random = random;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#blows);
  }

  /** Each kind of victim has a random sequence of its own: what one of them takes does not move the others. */
  begin(): void {
    const seeds = [1, 2, 3].map(() => new Random(this.#random.int(1, 1_000_000_000)));
    const [signalbox, nats, agents] = seeds as [Random, Random, Random];
    this.#running = Promise.all([
      this.#repeat(signalbox, [800, 5_000], (random) => this.#hitSignalbox(random)),
      this.#repeat(nats, [1_000, 6_000], (random) => this.#hitNats(random)),
      this.#repeat(agents, [100, 900], (random) => this.#hitAgent(random)),
    ]);
  }

  /** Returns when whatever was stopped goes on again. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #repeat(
    random: Random,
    [min, max]: readonly [number, number],
    hit: (random: Random) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      await this.#wait(random.int(min, max));
      if (this.#end.signal.aborted) return;
      await hit(random);
    }
  }

  async #hitSignalbox(random: Random): Promise<void> {
    const { nodes } = this.#stage;
    const leader = await this.#readyLeader();
    if (!leader) return;
    const other = nodes.find((node) => node !== leader);
    const kind = random.next();
    // The first blow is a kill, so that a short run has one.
    const isFirst = this.#blows.get('kill signalbox') === 0;
    if (isFirst || kind < 0.5) return this.#kill('kill signalbox', leader);
    if (other && kind < 0.65) return this.#kill('kill standby', other);
    await this.#stop(leader, random.int(...(other && kind < 0.8 ? FOR_LONG : BRIEFLY)));
  }

  /** null if the run ends before there is one. */
  async #readyLeader(): Promise<ChaosNode | null> {
    for (; !this.#end.signal.aborted; await this.#wait(LOOK_MS)) {
      if (this.#stage.leader?.isReady) return this.#stage.leader;
    }
    return null;
  }

  async #kill(blow: Blow, node: ChaosNode): Promise<void> {
    this.#stage.noteBlow(node);
    if (node.signal('SIGKILL')) this.#count(blow);
  }

  async #stop(node: ChaosNode, milliseconds: number): Promise<void> {
    const { starts } = node;
    this.#stage.noteBlow(node);
    if (!node.signal('SIGSTOP')) return;
    this.#count('stop signalbox');
    await this.#wait(milliseconds);
    node.signal('SIGCONT');
    if (this.#stage.leader === node && node.starts === starts) this.#stage.forgetBlow();
  }

  async #hitNats(random: Random): Promise<void> {
    const { nats } = this.#stage;
    const pid = await this.#stage.natsPid();
    const isKill = random.chance(0.6);
    const milliseconds = random.int(...BRIEFLY);
    if (pid === null) return;
    this.#stage.noteNatsHit();
    if (!isKill) {
      await this.#pause('stop nats-server', pid, milliseconds);
    } else if (nats) {
      await nats.kill9();
      this.#count('kill nats-server');
      await this.#wait(milliseconds);
      await nats.restart();
    } else if (signal(pid, 'SIGKILL')) {
      this.#count('kill nats-server');
    }
    this.#stage.noteNatsHit();
  }

  async #hitAgent(random: Random): Promise<void> {
    const place = random.next();
    const isKill = random.chance(0.6);
    const milliseconds = random.int(...BRIEFLY);
    const alive = await aliveAgents(this.#stage.directory);
    const pid = alive[Math.floor(place * alive.length)];
    if (pid === undefined) return;
    if (!isKill) return this.#pause('stop agent', pid, milliseconds);
    if (signal(pid, 'SIGKILL')) this.#count('kill agent');
  }

  async #pause(blow: Blow, pid: number, milliseconds: number): Promise<void> {
    if (!signal(pid, 'SIGSTOP')) return;
    this.#count(blow);
    await this.#wait(milliseconds);
    signal(pid, 'SIGCONT');
  }

  #count(blow: Blow): void {
    this.#blows.set(blow, (this.#blows.get(blow) ?? 0) + 1);
  }

  #wait(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.#end.signal }).catch(() => {});
  }
}

/** @returns whether there was such a process */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
