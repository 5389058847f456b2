/**
 * Looks at a simulation from the side: what is stored, what runs, and what can be seen must fit together.
 *
 * - A run is started once for its attempt at most, and only after its claim is stored.
 * - A run is asked to end only after the request is stored.
 * - An attempt ends only when its process has ended; a task never has two processes.
 * - Nothing is visible that is not stored, and what is visible is what the log says.
 * - A run whose task a person has given up is asked to end within seconds in which Signalbox could do so.
 */

import type { Projections } from '../../../projections/index.ts';
import type { EngineLimits } from '../../../src/app/engine/engine-options.ts';
import type { DomainEvent, StoredRecord } from '../../../src/contracts/events/events.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { SETTLED_STATES, type TaskState } from '../../../src/contracts/tasks.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import type { SimulatedLog } from './log.ts';
import { expect, Violation } from './log-entities.ts';
import { isUnwanting, LogModel } from './log-model.ts';
import { keyOf, type ProcessWorld } from './process-world.ts';

const UNWANTED_MS = 5_000;

export class Witness {
  readonly records: StoredRecord[] = [];
  readonly model: LogModel;
  readonly #log: SimulatedLog;
  readonly #processes: ProcessWorld;
  /** Tasks that something was stored about since they were compared last. */
  readonly #changed = new Set<string>();
  readonly #executed = new Set<string>();
  /** When, in healthy milliseconds, a person gave up what an attempt was for. */
  readonly #unwantedAt = new Map<string, number>();
  #violation: Error | null = null;

  constructor(log: SimulatedLog, processes: ProcessWorld, limits: EngineLimits) {
    this.model = new LogModel(limits);
    this.#log = log;
    this.#processes = processes;
    log.onMessage = (sequence) => this.check(() => this.#onMessage(sequence));
    processes.observer = {
      ...processes.observer,
      onStart: (order) => this.check(() => this.#onStart(order)),
      onExecute: (order) => this.check(() => this.#onExecute(order)),
      onForget: (order) => void this.#executed.delete(keyOf(order)),
      onStop: (order) => this.check(() => this.#onStop(order)),
    };
  }

  /** Milliseconds in which a Signalbox was up and had its log. */
  healthyMs = 0;

  /** @throws Error the first thing that was wrong */
  assertContent(): void {
    if (this.#violation) throw this.#violation;
  }

  report(error: unknown): void {
    this.#violation ??= error instanceof Error ? error : new Error(String(error));
  }

  /** Runs a check; what it throws is reported. */
  check(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.report(error);
    }
  }

  compare(projections: Projections): void {
    this.check(() => {
      const tip = this.#log.tip().sequence;
      const { sequence } = projections;
      expect(sequence <= tip, `event ${sequence} is visible, the log ends at ${tip}`);
      if (sequence !== tip) return;
      for (const key of this.#changed) {
        const view = projections.blackboard.tasks.get(key);
        const model = this.model.tasks.get(key);
        // What is settled may have left memory.
        if (!view && SETTLED_STATES.has(model?.state as TaskState)) continue;
        const seen =
          view && [view.state, view.version, view.attempts, view.attemptsUsed, view.openAttempt].join();
        const stored = model && [model.state, model.version, model.attempts, model.used, model.open].join();
        expect(seen === stored, `task ${key} is seen as ${seen}, the log says ${stored}`);
      }
      this.#changed.clear();
    });
  }

  #onMessage(sequence: number): void {
    const message = this.#log.messages.at(-1);
    if (message?.sequence !== sequence) throw new Violation(`message ${sequence} is not there`);
    for (const record of readRecords(message)) this.#onRecord(record);
  }

  #onRecord(record: StoredRecord): void {
    this.records.push(record);
    this.model.apply(record);
    if ('task' in record.event) this.#changed.add(taskKey(record.event));
    this.#noteUnwanted(record.event);
    if (record.event.type === 'attempt.ended') this.#onEnded(keyOf(record.event));
  }

  #onEnded(key: string): void {
    const process = this.#processes.find(key);
    expect(!process || process.end !== null || process.owner !== null, 'it ended, and its process goes on');
    const unwantedMs = this.healthyMs - (this.#unwantedAt.get(key) ?? this.healthyMs);
    const isStopped = this.model.attempts.get(key)?.stopping === true;
    expect(isStopped || unwantedMs < UNWANTED_MS, 'it was not stopped although it was not wanted any more');
  }

  #noteUnwanted(event: DomainEvent): void {
    if (!('task' in event) || !isUnwanting(event)) return;
    const { project, task } = event;
    const attempt = this.model.tasks.get(taskKey({ project, task }))?.open ?? null;
    if (attempt !== null) this.#unwantedAt.set(keyOf({ project, task, attempt }), this.healthyMs);
  }

  #onStart(order: RunRequest): void {
    const key = keyOf(order);
    const attempt = this.model.attempts.get(key);
    expect(attempt !== undefined, `${key} was started before its claim was stored`);
    const isStarted = attempt?.started === true && !attempt.isStartedByClaim;
    expect(!isStarted && !attempt?.ended, `${key} was started after its start or its end`);
    expect(!attempt?.stopping, `${key} was started although it was to be stopped`);
  }

  #onExecute(order: RunRequest): void {
    const key = keyOf(order);
    expect(!this.#executed.has(key), `${key} was executed twice`);
    this.#executed.add(key);
    const { project, task } = order;
    const other = this.#processes
      .alive()
      .find((each) => each.order.project === project && each.order.task === task && each.owner === null);
    expect(!other, `${key} was executed while attempt ${other?.order.attempt} goes on`);
  }

  #onStop(order: RunRequest): void {
    const isRequested = this.model.attempts.get(keyOf(order))?.stopping === true;
    expect(isRequested, `${keyOf(order)} was stopped before the request was stored`);
  }
}
