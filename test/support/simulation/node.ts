/**
 * One Signalbox process of a simulation: an engine on the shared log and the shared machine, which can be killed,
 * stopped for a while, or shut down.
 */
import type { Engine } from '../../../src/app/engine/engine.ts';
import type { EngineLimits, EngineOptions } from '../../../src/app/engine/engine-options.ts';
import { openEngine } from '../../../src/app/engine/open-engine.ts';
import type { LogEntry } from '../../../src/engine/runtime/commit-pipeline.ts';
import type { RetentionLimits } from '../../../src/engine/runtime/retention.ts';
import type { AgentDefinition } from '../../../src/engine/supervisor/agent-roster.ts';
import type { Journal, JournalHandlers } from '../../../src/journal/journal.ts';
import { silentLogger } from '../engine.ts';
import { MemoryJournal } from '../memory-journal.ts';
import type { TreeWorld } from '../workspaces/trees.ts';
import { ProcessClock, type SimulatedClock } from './clock.ts';
import type { SimulatedLog } from './log.ts';
import type { ProcessWorld } from './process-world.ts';
import type { Random } from './random.ts';
import { ScriptedDriver, type ScriptOf } from './scripted-driver.ts';

export interface SimulatedAgent extends Partial<Omit<AgentDefinition, 'driver'>> {
  readonly id: string;
  readonly scriptOf: ScriptOf;
  /** Whether its runs outlive the supervisor; true if it does not say. */
  readonly adoptable?: boolean;
  /** Whether it works in workspaces, also of others; default: if it has one of its own. */
  readonly takesWorkspace?: boolean;
}

/** Makes the journal of a process; what is given may be wrapped, to break a promise on purpose. */
export type JournalFactory = (
  log: SimulatedLog,
  handlers: JournalHandlers<LogEntry>,
  defer: (work: () => void) => void,
) => Journal<LogEntry>;

export interface World {
  readonly clock: SimulatedClock;
  readonly log: SimulatedLog;
  readonly processes: ProcessWorld;
  readonly trees: TreeWorld;
  readonly random: Random;
  readonly agents: readonly SimulatedAgent[];
  readonly limits: EngineLimits;
  readonly retention: RetentionLimits;
  readonly snapshots: EngineOptions['snapshots'];
  readonly openJournal: JournalFactory;
  /** Longest time that a message takes to the log, in milliseconds. */
  readonly storeMs: number;
}

export const memoryJournal: JournalFactory = (log, handlers, defer) =>
  new MemoryJournal(log, handlers, defer);

const HOURS = 100 * 3_600_000;

export const LIMITS: EngineLimits = {
  concurrency: 100,
  projectConcurrency: 100,
  queueDepth: 10_000,
  backlog: 20_000,
  maxEventBytes: 900_000,
};

export const RETENTION: RetentionLimits = { finishedMs: HOURS, deadLettersMs: HOURS, tasks: 10_000 };

export class SimulatedNode {
  readonly clock: ProcessClock;
  readonly writer: string;
  readonly #world: World;
  #engine: Engine | null = null;
  #journal: Journal<LogEntry> | null = null;
  #begun: Promise<void> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
    this.clock = new ProcessClock(world.clock);
    this.writer = world.random.id(10);
  }

  get isAlive(): boolean {
    return !this.clock.isDead;
  }

  /** Whether it has the log, as far as it knows. */
  get isOpen(): boolean {
    return this.isAlive && this.#engine !== null;
  }

  /** @throws Error before `open` */
  get engine(): Engine {
    if (!this.#engine) throw new Error(`writer ${this.writer} has not opened its engine`);
    return this.#engine;
  }

  /** Resolves when it has taken up what the log says is under way; for that, time must pass. */
  get begun(): Promise<void> {
    return this.#begun;
  }

  /** Takes over the log. @throws SignalboxError as `Engine.open` */
  async open(): Promise<void> {
    const { clock, writer } = this;
    const { log, processes, trees, random, agents, limits, retention, snapshots, openJournal, storeMs } =
      this.#world;
    const engine = await openEngine({
      openJournal: async (handlers) => {
        const defer = (work: () => void): void => void clock.schedule(random.int(0, storeMs), work);
        this.#journal = openJournal(log, this.#whileAlive(handlers), defer);
        return this.#journal;
      },
      agents: agents.map(({ scriptOf, adoptable, takesWorkspace, ...settings }) => ({
        capabilities: [],
        concurrency: 1,
        timeoutMs: 60_000,
        killGraceMs: 1_000,
        lingerMs: 1_000,
        promptLanguage: 'en',
        ...settings,
        driver: new ScriptedDriver(processes, clock, scriptOf, {
          isAdoptable: adoptable ?? true,
          takesWorkspace: takesWorkspace ?? settings.workspace !== undefined,
        }),
      })),
      workspaces: trees.seenBy(clock),
      environment: { clock, random: () => random.next(), randomId: (length) => random.id(length) },
      logger: silentLogger,
      dataDirectory: '/nowhere',
      storesContent: false,
      secret: 'secret of the simulation',
      version: 'simulated',
      writer,
      url: () => 'http://signalbox.invalid',
      defaults: {
        priority: 5,
        max_attempts: 4,
        review: 'auto',
        backoff: { initial_seconds: 2, factor: 2, max_seconds: 60, jitter: 0.2 },
      },
      reviewOf: () => undefined,
      limits,
      retention,
      snapshots,
      onFenced: () => {},
    });
    if (!this.isAlive) return;
    this.#engine = engine;
    this.#begun = engine.begin();
  }

  /** kill -9: nothing that it has in flight is stored, nothing that it has planned happens. */
  kill(): void {
    this.clock.kill();
    void this.#journal?.close();
    this.#world.processes.endWith(this.clock);
  }

  /** What is stored when the writer is dead is not reported to it. */
  #whileAlive(handlers: JournalHandlers<LogEntry>): JournalHandlers<LogEntry> {
    return {
      onStored: (entry, sequence) => {
        if (this.isAlive) handlers.onStored(entry, sequence);
      },
      onState: (state) => {
        if (this.isAlive) handlers.onState(state);
      },
    };
  }
}
