/**
 * The processes of a simulated machine. They survive the supervisor that started them, and report truthfully to the next.
 *
 * - A run that was not executed when a supervisor looked for it never will be.
 * - A supervisor learns everything through its own clock: a dead one learns nothing, a stopped one learns it later.
 */
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { attemptKey } from '../../../src/contracts/ids.ts';
import type { Output } from '../../../src/contracts/tasks.ts';
import type { Adoption, Run, RunEnd, RunRequest, RunResult, RunStart } from '../../../src/drivers/driver.ts';
import type { ProcessClock, SimulatedClock } from './clock.ts';
import type { Script } from './script.ts';

export interface SimulatedProcess {
  readonly order: RunRequest;
  readonly script: Script;
  readonly pid: number;
  readonly startedAt: number;
  /** Whose process it lives in; null if it lives on its own. */
  readonly owner: ProcessClock | null;
  lastSignAt: number;
  end: RunEnd | null;
}

/** What the world tells of, so that a test can check it and let the agents speak. */
export interface ProcessObserver {
  /** A supervisor has asked for a run. */
  onStart(order: RunRequest): void;
  /** The run begins. */
  onExecute(order: RunRequest): void;
  /** No trace is left of the run. */
  onForget(order: RunRequest): void;
  /** A supervisor has asked a run to end. */
  onStop(order: RunRequest): void;
  /** The process says something to Signalbox. */
  onWord(order: RunRequest, word: Script['words'][number]): void;
}

interface Launch {
  /** It must not begin any more. */
  isClosed: boolean;
}

type Listener = (end: RunEnd) => void;

const HOST = 'simulated';

export class ProcessWorld {
  readonly #clock: SimulatedClock;
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Asked for, and not executed yet. */
  readonly #underway = new Map<string, Launch>();
  readonly #timers = new Map<string, (() => void)[]>();
  #pids = 1_000;
  observer: ProcessObserver = { onStart() {}, onExecute() {}, onForget() {}, onStop() {}, onWord() {} };

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** Processes that have not ended. */
  alive(): SimulatedProcess[] {
    return [...this.#processes.values()].filter(({ end }) => end === null);
  }

  find(key: string): SimulatedProcess | undefined {
    return this.#processes.get(key);
  }

  start(order: RunRequest, script: Script, supervisor: ProcessClock, isAdoptable: boolean): Promise<Run> {
    if (supervisor.isDead) return new Promise(() => {});
    const key = keyOf(order);
    this.observer.onStart(order);
    if (script.startError !== undefined) {
      const error = new SignalboxError('spawn_failed', script.startError);
      return new Promise((_, reject) => supervisor.schedule(script.startMs, () => reject(error)));
    }
    const launch: Launch = { isClosed: false };
    this.#underway.set(key, launch);
    return new Promise((resolve, reject) => {
      const execute = (): void => {
        if (this.#underway.get(key) === launch) this.#underway.delete(key);
        if (!isAdoptable && supervisor.isDead) return;
        if (launch.isClosed) return reject(new SignalboxError('spawn_failed', 'the door was closed'));
        const process = this.#execute(order, script, isAdoptable ? null : supervisor);
        supervisor.schedule(script.startMs / 2, () => resolve(this.#runOf(process, supervisor)));
      };
      this.#clock.schedule(script.startMs / 2, execute);
    });
  }

  adopt(order: RunRequest, supervisor: ProcessClock, isAdoptable: boolean): Promise<Adoption> {
    const answer = (): Adoption => {
      // Looked at when it answers: it may have been executed since it was asked.
      const process = this.#processes.get(keyOf(order));
      if (process?.end) return { kind: 'ended', start: startOf(process), end: process.end };
      if (process) return { kind: 'running', run: this.#runOf(process, supervisor) };
      const launch = this.#underway.get(keyOf(order));
      if (launch) launch.isClosed = true;
      return { kind: 'never_started' };
    };
    if (!isAdoptable) {
      return Promise.resolve({ kind: 'ended', start: null, end: lostEnd('it ended with its process') });
    }
    return new Promise((resolve) =>
      supervisor.schedule(this.#processes.get(keyOf(order))?.script.adoptMs ?? 0, () => resolve(answer())),
    );
  }

  /** Ends what lives in the process of this supervisor. */
  endWith(supervisor: ProcessClock): void {
    for (const process of this.alive()) {
      if (process.owner === supervisor) this.#end(process, lostEnd('it ended with its process'));
    }
  }

  /** The machine goes down with all that runs on it; without power, and so with what was written last, as the case may be. */
  endAll(isForgotten: boolean): void {
    for (const process of this.alive()) {
      this.#end(process, lostEnd('the machine was restarted'));
      if (isForgotten) this.#forget(process.order);
    }
    for (const launch of this.#underway.values()) launch.isClosed = true;
  }

  #forget(order: RunRequest): void {
    this.#processes.delete(keyOf(order));
    this.observer.onForget(order);
  }

  #execute(order: RunRequest, script: Script, owner: ProcessClock | null): SimulatedProcess {
    this.observer.onExecute(order);
    const key = keyOf(order);
    const now = this.#clock.now();
    const process: SimulatedProcess = {
      order,
      script,
      pid: this.#pids++,
      startedAt: now,
      owner,
      lastSignAt: now,
      end: null,
    };
    this.#processes.set(key, process);
    for (const at of script.printsAt) {
      this.#later(key, at, () => {
        process.lastSignAt = this.#clock.now();
      });
    }
    for (const word of script.words) this.#later(key, word.atMs, () => this.observer.onWord(order, word));
    const { runsMs } = script;
    if (runsMs !== null)
      this.#later(key, runsMs, () => this.#end(process, endOf(script.result, process, this.#clock.now())));
    return process;
  }

  #runOf(process: SimulatedProcess, supervisor: ProcessClock): Run {
    let isDetached = false;
    const ended = new Promise<RunEnd>((resolve) => {
      const tell = (end: RunEnd): void => {
        supervisor.schedule(0, () => {
          if (!isDetached) resolve(end);
        });
      };
      if (process.end) tell(process.end);
      else this.#listenersOf(process).add(tell);
    });
    return {
      start: startOf(process),
      ended,
      lastSignAt: () => process.lastSignAt,
      stop: (graceMs) => {
        this.observer.onStop(process.order);
        if (process.end) return;
        const { stopMs } = process.script;
        const signal = stopMs > graceMs ? 'SIGKILL' : 'SIGTERM';
        const result = { kind: 'signalled', signal } as const;
        this.#later(keyOf(process.order), Math.min(stopMs, graceMs), () =>
          this.#end(process, endOf(result, process, this.#clock.now())),
        );
      },
      detach: () => {
        isDetached = true;
      },
    };
  }

  #end(process: SimulatedProcess, end: RunEnd): void {
    if (process.end) return;
    process.end = end;
    const key = keyOf(process.order);
    for (const cancel of this.#timers.get(key) ?? []) cancel();
    this.#timers.delete(key);
    for (const tell of this.#listenersOf(process)) tell(end);
    this.#listeners.delete(key);
  }

  #listenersOf(process: SimulatedProcess): Set<Listener> {
    const key = keyOf(process.order);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    return listeners;
  }

  /** What the process itself has planned: it ends with it. */
  #later(key: string, ms: number, happen: () => void): void {
    const timers = this.#timers.get(key) ?? [];
    this.#timers.set(key, timers);
    timers.push(this.#clock.schedule(ms, happen));
  }
}

function endOf(result: RunResult, { order, script }: SimulatedProcess, now: number): RunEnd {
  const isGood = result.kind === 'returned' || (result.kind === 'exited' && result.code === 0);
  const outputs = isGood ? script.outputs.map((content) => outputOf(content, order)) : [];
  const quota = script.quotaMs && { reason: 'quota: used up', untilMs: now + script.quotaMs };
  return { result, outputs, usage: script.usage, quota: quota || undefined };
}

function outputOf(content: string, order: RunRequest): Output {
  return { type: 'other', title: `output of ${order.agent}`, content, agent: order.agent };
}

function startOf({ pid, startedAt, order }: SimulatedProcess): RunStart {
  const session = order.resumes?.session ?? keyOf(order);
  return { host: HOST, pid, startTime: String(startedAt), session };
}

function lostEnd(reason: string): RunEnd {
  return { result: { kind: 'lost', reason }, outputs: [] };
}

export function keyOf({ project, task, attempt }: Pick<RunRequest, 'project' | 'task' | 'attempt'>): string {
  return attemptKey({ project, task, attempt });
}
