/**
 * A whole Signalbox in a world that the test holds in its hands: one log, one machine, one clock, and one process of
 * Signalbox after the other. After every step the log is read by a second model, and what can be seen is compared.
 *
 * SW1 A run is started once for its attempt at most, and only after its claim is stored.
 * SW2 A run is asked to end only after the request is stored.
 * SW3 An attempt ends only when its process has ended; a task never has two processes.
 * SW4 Nothing is visible that is not stored, and what is visible is what the log says.
 * SW5 A command that was answered is in the log.
 */
import type { TaskView } from '../../../projections/index.ts';
import type { AppContext } from '../../../src/app/context.ts';
import { createTask } from '../../../src/app/create-task.ts';
import { type ErrorCode, SignalboxError } from '../../../src/contracts/errors.ts';
import type { StoredRecord } from '../../../src/contracts/events.ts';
import { projectId } from '../../../src/contracts/ids.ts';
import { type CreateTask, createTaskSchema } from '../../../src/contracts/requests.ts';
import type { EngineLimits } from '../../../src/engine.ts';
import type { RunOrder } from '../../../src/process/drivers/driver.ts';
import { readRecord } from '../../../src/runtime/rebuild.ts';
import { SimulatedClock } from './clock.ts';
import { markOf, SimulatedLog } from './log.ts';
import { LogModel, Violation } from './log-model.ts';
import {
  type JournalFactory,
  LIMITS,
  memoryJournal,
  type SimulatedAgent,
  SimulatedNode,
  type World,
} from './node.ts';
import { keyOf, ProcessWorld } from './process-world.ts';
import { Random } from './random.ts';
import type { Word } from './script.ts';
import { speak } from './words.ts';

export interface SimulationOptions {
  readonly seed?: number;
  readonly agents: readonly SimulatedAgent[];
  readonly limits?: Partial<EngineLimits>;
  readonly openJournal?: JournalFactory;
  /** Longest time that a message takes to the log. */
  readonly storeMs?: number;
  /** Longest time that an agent's word takes, and how likely it comes twice. */
  readonly networkMs?: number;
  readonly duplicates?: number;
}

/** What a caller may be told; every other error is a violation. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set([
  'task_not_found',
  'task_exists',
  'illegal_transition',
  'output_required',
  'stale_attempt',
  'overloaded',
  'log_unavailable',
  'log_fenced',
  'shutting_down',
]);
/** Errors after which a caller tries again. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'overloaded',
  'log_unavailable',
  'log_fenced',
  'shutting_down',
]);
const RETRY_MS = 2_000;
const RETRIES = 5;
/** How long a caller waits for an answer before it tries again. */
const PATIENCE_MS = 20_000;
const HOUR_MS = 3_600_000;

export class Simulation {
  readonly clock = new SimulatedClock();
  readonly log = new SimulatedLog();
  readonly processes = new ProcessWorld(this.clock);
  readonly random: Random;
  readonly records: StoredRecord[] = [];
  readonly model: LogModel;
  /** The Signalbox that is up; null while none is. */
  node: SimulatedNode | null = null;
  /** All that are alive, the newest last. */
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #world: World;
  readonly #options: SimulationOptions;
  readonly #changed = new Set<string>();
  readonly #executed = new Set<string>();
  #marks = 0;
  #violation: Error | null = null;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = new Random(options.seed ?? 1);
    const limits = { ...LIMITS, ...options.limits };
    this.model = new LogModel(limits);
    this.#world = {
      clock: this.clock,
      log: this.log,
      processes: this.processes,
      random: this.random,
      agents: options.agents,
      limits,
      openJournal: options.openJournal ?? memoryJournal,
      storeMs: options.storeMs ?? 0,
    };
    this.log.onMessage = (sequence) => this.#guard(() => this.#onMessage(sequence));
    this.log.onCrash = (writer) => this.crash(writer);
    this.processes.observer = {
      onStart: (order) => this.#guard(() => this.#onStart(order)),
      onExecute: (order) => this.#guard(() => this.#onExecute(order)),
      onStop: (order) => this.#guard(() => this.#onStop(order)),
      onWord: (order, word) => this.say(order, word),
    };
  }

  static async begin(options: SimulationOptions): Promise<Simulation> {
    const simulation = new Simulation(options);
    await simulation.restart();
    return simulation;
  }

  get app(): AppContext {
    if (!this.node) throw new Error('no Signalbox is up');
    return this.node.engine.app;
  }

  newMark(): string {
    return markOf(++this.#marks);
  }

  /** Starts a Signalbox. The one before may still be there: it is a second writer then. @throws SignalboxError */
  async open(): Promise<SimulatedNode> {
    const node = new SimulatedNode(this.#world);
    this.node = node;
    this.#nodes.set(node.writer, node);
    await node.open();
    void node.begun.catch((error: unknown) => this.report(error));
    return node;
  }

  /** Opens, and lets time pass until it has taken up its work. */
  async restart(): Promise<void> {
    const node = await this.open();
    await this.answer(node.begun);
  }

  /** kill -9, of the one that is up where it does not say which. */
  crash(writer = this.node?.writer): void {
    const node = this.#nodes.get(writer ?? '');
    if (!node) return;
    node.kill();
    this.#nodes.delete(node.writer);
    if (this.node === node) this.node = null;
  }

  async shutDown(): Promise<void> {
    const { node } = this;
    if (!node) return;
    await this.answer(node.engine.stop('a test'));
    this.crash();
  }

  /** Creates a task in the project `demo`, or in another. */
  async create(request: Partial<CreateTask>, project = 'demo'): Promise<TaskView> {
    const parsed = createTaskSchema.parse({ title: this.newMark(), ...request });
    const { task } = await this.answer(createTask(this.app, projectId(project), parsed, 'user:test'));
    return task;
  }

  task(id: string, project = 'demo'): TaskView {
    const view = this.app.projections.blackboard.tasks.get(`${project}/${id}`);
    if (!view) throw new Error(`there is no task ${id} in ${project}`);
    return view;
  }

  /** What the log has about a task. */
  eventsOf(id: string, project = 'demo'): StoredRecord[] {
    return this.records.filter(
      ({ event }) => 'task' in event && event.task === id && event.project === project,
    );
  }

  typesOf(id: string, project = 'demo'): string[] {
    return this.eventsOf(id, project).map(({ event }) => event.type);
  }

  /** Sends a word of an agent over the network: later, perhaps twice, and again where nobody answers. */
  say(order: Pick<RunOrder, 'project' | 'task' | 'token'>, word: Word): void {
    const mark = this.newMark();
    const recorded = word.say === 'heartbeat' ? null : mark;
    const { networkMs = 0, duplicates = 0 } = this.#options;
    const copies = this.random.chance(duplicates) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.clock.schedule(this.random.int(0, networkMs), () =>
        this.command(recorded, (app) => speak(app, order, word, mark)),
      );
    }
  }

  /**
   * Gives a command, again where nobody takes it or answers, and checks the answer whenever it comes (SW5).
   * @param mark what its event carries; null for a command that need not leave one
   */
  command(mark: string | null, send: (app: AppContext) => Promise<unknown>, retries = RETRIES): void {
    let isAnswered = false;
    const again = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      if (retries > 0) this.clock.schedule(RETRY_MS, () => this.command(mark, send, retries - 1));
    };
    const check = (): void => {
      isAnswered = true;
      const isStored = mark === null || this.log.has(mark);
      this.#guard(() => assert(isStored, `${mark} was answered and is not in the log`));
    };
    const { node } = this;
    if (!node?.isOpen) return again();
    this.clock.schedule(PATIENCE_MS, again);
    node.clock.schedule(0, () => {
      send(node.engine.app).then(check, (error: unknown) => {
        if (!(error instanceof SignalboxError) || !EXPECTED.has(error.code)) this.report(error);
        else if (TRANSIENT.has(error.code)) again();
        else isAnswered = true;
      });
    });
  }

  /** Wakes the next timer. @returns false where none is set. @throws Violation */
  async step(): Promise<boolean> {
    const isWoken = this.clock.runNext();
    await settle();
    this.#guard(() => this.#compare());
    if (this.#violation) throw this.#violation;
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

  /** Lets time pass until it holds. @throws Error where it does not within `limitMs` */
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

  #onMessage(sequence: number): void {
    const message = this.log.messages[sequence - 1];
    if (!message) throw new Violation(`message ${sequence} is not there`);
    const record = readRecord(message);
    this.records.push(record);
    this.model.apply(record);
    if ('task' in record.event) this.#changed.add(`${record.event.project}/${record.event.task}`);
    if (record.event.type !== 'attempt.ended') return;
    const process = this.processes.find(keyOf(record.event));
    assert(!process || process.end !== null || process.owner !== null, 'it ended, and its process goes on'); // SW3
  }

  /** SW1 */
  #onStart(order: RunOrder): void {
    const key = keyOf(order);
    const attempt = this.model.attempts.get(key);
    assert(attempt !== undefined, `${key} was started before its claim was stored`);
    assert(!attempt?.started && !attempt?.ended, `${key} was started after its start or its end`);
    assert(!attempt?.stopping, `${key} was started although it was to be stopped`);
  }

  /** SW1, SW3 */
  #onExecute(order: RunOrder): void {
    const key = keyOf(order);
    assert(!this.#executed.has(key), `${key} was executed twice`);
    this.#executed.add(key);
    const other = this.processes
      .alive()
      .find(
        ({ order: { project, task }, owner }) => project === order.project && task === order.task && !owner,
      );
    assert(!other, `${key} was executed while attempt ${other?.order.attempt} goes on`);
  }

  /** SW2 */
  #onStop(order: RunOrder): void {
    const attempt = this.model.attempts.get(keyOf(order));
    assert(attempt?.stopping === true, `${keyOf(order)} was stopped before the request was stored`);
  }

  /** SW4 */
  #compare(): void {
    if (!this.node?.isOpen) return;
    const { projections } = this.node.engine;
    const tip = this.log.tip().sequence;
    assert(projections.sequence <= tip, `event ${projections.sequence} is visible, the log ends at ${tip}`);
    if (projections.sequence !== tip) return;
    for (const key of this.#changed) {
      const view = projections.blackboard.tasks.get(key);
      const model = this.model.tasks.get(key);
      const seen = view && [view.state, view.version, view.attempts, view.openAttempt].join();
      const stored = model && [model.state, model.version, model.attempts, model.open].join();
      assert(seen === stored, `task ${key} is seen as ${seen}, the log says ${stored}`);
    }
    this.#changed.clear();
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.report(error);
    }
  }

  report(error: unknown): void {
    this.#violation ??= error instanceof Error ? error : new Error(String(error));
  }
}

function assert(holds: boolean, otherwise: string): void {
  if (!holds) throw new Violation(otherwise);
}

/** Lets everything happen that needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
