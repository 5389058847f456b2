/** What goes wrong around Signalbox: it dies at some append, its log goes away, time jumps, a second one takes over. */
import { SignalboxError } from '../../../src/contracts/errors.ts';
import type { SimulatedAgent, SimulatedNode } from './node.ts';
import type { Simulation } from './simulation.ts';

/** Last tokens of subjects. */
const CONSEQUENTIAL = [
  'approved',
  'blocked',
  'cancelled',
  'claimed',
  'created',
  'dependency_met',
  'failure_reported',
  'rejected',
  'redriven',
  'submitted',
  'attempt_ended',
  'attempt_started',
  'attempt_stop_requested',
  'parked',
  'probed',
] as const;

export class Trouble {
  readonly #simulation: Simulation;
  readonly #agents: readonly SimulatedAgent[];
  /** Leaders of the past that are still there. */
  readonly #former = new Set<SimulatedNode>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    this.#agents = simulation.agents;
    simulation.log.onCrash = (writer) => this.crash(writer);
  }

  /** Dies at one of the next appends, before or after the message is stored. */
  crashAtAppend(): void {
    const { log, random } = this.#simulation;
    log.faults.set(log.appends + random.int(1, 15), random.chance(0.5) ? 'lost' : 'unanswered');
  }

  /** The same at the next event of a kind from which something must follow. */
  crashAtEvent(): void {
    const { log, random } = this.#simulation;
    log.traps.set(random.pick(CONSEQUENTIAL), random.chance(0.3) ? 'lost' : 'unanswered');
  }

  /** Dies now; with the whole machine now and then. A new one comes up a little later. */
  crash(writer = this.#simulation.node?.writer): void {
    const { random, processes, clock } = this.#simulation;
    this.#simulation.crash(writer);
    if (random.chance(0.2)) processes.endAll(random.chance(0.5));
    clock.schedule(random.int(0, 5_000), () => this.#bringUp());
  }

  /** A user stops Signalbox; a new one starts later. Agents are left running, or ended. */
  shutDown(): void {
    const { node, clock, random } = this.#simulation;
    if (!node?.isOpen) return;
    const { engine } = node;
    engine.drain('a shutdown');
    if (random.chance(0.5)) node.clock.schedule(random.int(0, 1_000), () => engine.supervisor.stopAll());
    node.clock.schedule(random.int(0, 5_000), () => {
      void engine.stop('a shutdown').then(() => {
        this.#simulation.crash(node.writer);
        clock.schedule(random.int(0, 5_000), () => this.#bringUp());
      });
    });
  }

  outage(): void {
    const { log, clock, random } = this.#simulation;
    log.reachable = false;
    clock.schedule(random.int(100, 15_000), () => {
      log.reachable = true;
    });
  }

  /** Forward or back: the clock was set, or the machine slept. */
  clockJump(): void {
    const { clock, random } = this.#simulation;
    clock.jump(random.int(-20_000, 90_000));
  }

  /** A second Signalbox takes the log over; the first one is stopped meanwhile, or knows nothing of it. */
  takeOver(): void {
    const { node, random, clock } = this.#simulation;
    if (!node?.isOpen) return;
    const isPaused = random.chance(0.6);
    if (isPaused) node.clock.pause();
    this.#former.add(node);
    this.#simulation.node = null;
    clock.schedule(random.int(0, 2_000), () => this.#bringUp());
    clock.schedule(random.int(2_000, 30_000), () => node.clock.resume());
    clock.schedule(60_000, () => this.#bury(node));
  }

  /** Everything works from now on. */
  end(): void {
    const { log } = this.#simulation;
    log.faults.clear();
    log.traps.clear();
    log.reachable = true;
    for (const node of this.#former) this.#bury(node);
  }

  #bury(node: SimulatedNode): void {
    if (this.#former.delete(node)) this.#simulation.crash(node.writer);
  }

  /** A user edits the configuration: agents get more slots or fewer, or are gone for now. */
  #reconfigure(): void {
    const { random } = this.#simulation;
    const agents = this.#agents.map((each) => ({ ...each, concurrency: random.int(1, 3) }));
    const [first, ...others] = agents;
    // An agent with the same driver has to be there to look after its runs.
    const canGo = others.some(({ adoptable }) => adoptable === first?.adoptable);
    this.#simulation.configure(canGo && random.chance(0.3) ? others : agents);
  }

  #bringUp(): void {
    const simulation = this.#simulation;
    if (simulation.node) return;
    if (simulation.random.chance(0.2)) this.#reconfigure();
    simulation.open().catch((error: unknown) => {
      // Its log was unreachable, or another process wrote to it meanwhile: try again.
      const isTransient =
        error instanceof SignalboxError && (error.code === 'nats_unavailable' || error.code === 'log_in_use');
      if (!isTransient) return simulation.witness.report(error);
      simulation.crash();
      simulation.clock.schedule(1_000, () => this.#bringUp());
    });
  }
}
