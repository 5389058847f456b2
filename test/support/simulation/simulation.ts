/**
 * A whole Signalbox in a world that the test holds in its hands: one log, one machine, one clock, and one process of
 * Signalbox after the other. Time passes only when the test lets it; after every step the witness looks at everything.
 */
import type { TaskView } from '../../../projections/index.ts';
import type { AppContext } from '../../../src/app/context.ts';
import type { EngineLimits, EngineOptions } from '../../../src/app/engine/engine-options.ts';
import { createTask } from '../../../src/app/tasks/create-task.ts';
import { type CreateTask, createTaskSchema } from '../../../src/contracts/api/requests.ts';
import type { DomainEvent, EventOf, EventType, StoredRecord } from '../../../src/contracts/events/events.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import type { TaskState } from '../../../src/contracts/tasks.ts';
import type { RetentionLimits } from '../../../src/engine/runtime/retention.ts';
import { TreeWorld } from '../workspaces/trees.ts';
import { Callers, type Network } from './callers.ts';
import { SimulatedClock } from './clock.ts';
import { SimulatedLog } from './log.ts';
import type { LogModel } from './log-model.ts';
import {
  type JournalFactory,
  LIMITS,
  memoryJournal,
  RETENTION,
  type SimulatedAgent,
  SimulatedNode,
  type World,
} from './node.ts';
import { ProcessWorld } from './process-world.ts';
import { Random } from './random.ts';
import { decideTask, type TaskDecision } from './use-cases.ts';
import { Witness } from './witness.ts';

export interface SimulationOptions {
  readonly seed?: number;
  readonly agents: readonly SimulatedAgent[];
  readonly limits?: Partial<EngineLimits>;
  readonly openJournal?: JournalFactory;
  /** Longest time that a message takes to the log. */
  readonly storeMs?: number;
  readonly network?: Network;
  readonly retention?: RetentionLimits;
  readonly snapshots?: EngineOptions['snapshots'];
}

const HOUR_MS = 3_600_000;

export class Simulation {
  readonly clock = new SimulatedClock();
  readonly log = new SimulatedLog();
  readonly processes = new ProcessWorld(this.clock);
  readonly random: Random;
  readonly trees: TreeWorld;
  readonly witness: Witness;
  readonly callers: Callers;
  /** The Signalbox that is up; null while none is. */
  node: SimulatedNode | null = null;
  /** All that are alive, the newest last. */
  readonly #nodes = new Map<string, SimulatedNode>();
  #world: World;

  constructor({ seed, agents, limits, openJournal, storeMs, network, ...options }: SimulationOptions) {
    const { clock, log, processes } = this;
    this.random = new Random(seed ?? 1);
    this.trees = new TreeWorld(this.random);
    this.#world = {
      clock,
      log,
      processes,
      trees: this.trees,
      random: this.random,
      agents,
      limits: { ...LIMITS, ...limits },
      openJournal: openJournal ?? memoryJournal,
      storeMs: storeMs ?? 0,
      retention: options.retention ?? RETENTION,
      snapshots: options.snapshots ?? null,
    };
    this.witness = new Witness(log, processes, this.#world.limits);
    this.callers = new Callers({
      clock,
      log,
      random: this.random,
      witness: this.witness,
      network: network ?? { delayMs: 0, duplicates: 0 },
      node: () => this.node,
    });
    log.onCrash = (writer) => this.crash(writer);
    processes.observer.onWord = (order, word) => this.callers.say(order, word);
  }

  /** A Signalbox that is up and has begun its work. */
  static async begin(options: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(options);
    await simulation.restart();
    return simulation;
  }

  get app(): AppContext {
    if (!this.node) throw new Error('no Signalbox is up');
    return this.node.engine.app;
  }

  get model(): LogModel {
    return this.witness.model;
  }

  get records(): readonly StoredRecord[] {
    return this.witness.records;
  }

  /** Starts a Signalbox. The one before may still be there: it is a second writer then. @throws SignalboxError */
  async open(): Promise<SimulatedNode> {
    const node = new SimulatedNode(this.#world);
    this.node = node;
    this.#nodes.set(node.writer, node);
    await node.open();
    void node.begun.catch((error: unknown) => this.witness.report(error));
    // Whatever needs no time has happened: what it waits for is set.
    await settle();
    return node;
  }

  get agents(): readonly SimulatedAgent[] {
    return this.#world.agents;
  }

  /** Changes the configuration that the next Signalbox starts with. */
  configure(agents: readonly SimulatedAgent[]): void {
    this.#world = { ...this.#world, agents };
  }

  /** Opens, with other agents if given, and lets time pass until it works. */
  async restart(agents = this.agents): Promise<void> {
    this.configure(agents);
    const node = await this.open();
    await this.answer(node.begun);
  }

  /** kill -9, by default of the one that is up. */
  crash(writer = this.node?.writer): void {
    const node = this.#nodes.get(writer ?? '');
    if (!node) return;
    node.kill();
    this.#nodes.delete(node.writer);
    if (this.node === node) this.node = null;
  }

  /** Creates a task in the project `demo`, or in another. */
  async create(request: Partial<CreateTask>, project = 'demo'): Promise<TaskView> {
    const parsed = createTaskSchema.parse({ title: this.callers.newMark(), ...request });
    const { task } = await this.answer(
      createTask(this.app, project, parsed, { actor: 'user:test', attempt: null }),
    );
    return task;
  }

  /** Decides about a task as a person. */
  async decide(decision: TaskDecision, id: string, project = 'demo'): Promise<void> {
    await this.answer(decideTask(this.app, decision, { project, id }, this.callers.newMark()));
  }

  /** As it can be seen now. */
  task(id: string, project = 'demo'): TaskView {
    const view = this.app.state.projections.blackboard.tasks.get(taskKey({ project, task: id }));
    if (!view) throw new Error(`there is no task ${id} in ${project}`);
    return view;
  }

  /** What the log has about a task. */
  eventsOf(id: string, project = 'demo'): StoredRecord[] {
    return this.records.filter(
      ({ event }) => 'task' in event && event.task === id && event.project === project,
    );
  }

  /** The first event of a type about a task. */
  find<Type extends EventType>(id: string, type: Type): EventOf<Type> | undefined {
    const events = this.eventsOf(id).map(({ event }) => event);
    return events.find((event): event is EventOf<Type> & DomainEvent => event.type === type);
  }

  typesOf(id: string, project = 'demo'): string[] {
    return this.eventsOf(id, project).map(({ event }) => event.type);
  }

  /** Wakes the next timer. @returns false if none is set. @throws Violation */
  async step(): Promise<boolean> {
    const { passed } = this.clock;
    const isHealthy = this.node?.isOpen === true && this.log.reachable;
    const isWoken = this.clock.runNext();
    if (isHealthy) this.witness.healthyMs += this.clock.passed - passed;
    await settle();
    if (this.node?.isOpen) this.witness.compare(this.node.engine.projections);
    this.witness.assertContent();
    return isWoken;
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.passed + ms;
    for (let next = this.clock.nextAt(); next !== null && next <= end; next = this.clock.nextAt())
      await this.step();
    this.clock.passTo(end);
    await settle();
  }

  /** Lets time pass until it holds. @throws Error if it does not within `limitMs` */
  async until(holds: () => boolean, limitMs = HOUR_MS): Promise<void> {
    const end = this.clock.passed + limitMs;
    await settle();
    while (!holds()) {
      const next = this.clock.nextAt();
      if (next === null || next > end)
        throw new Error(`it did not come to pass within ${limitMs} ms: ${holds}`);
      await this.step();
    }
  }

  /** Lets time pass until a task of the project `demo` is in this state. */
  untilState(task: string, state: TaskState, limitMs?: number): Promise<void> {
    return this.until(() => this.model.stateOf('task', `demo/${task}`) === state, limitMs);
  }

  /** Lets time pass until the promise is settled. */
  async answer<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.until(() => isSettled);
    return promise;
  }
}

/** Lets everything happen that needs no time. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
