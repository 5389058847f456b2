/** Following the log as it grows: record by record, until a condition holds, or for the updates of one task. */
import type { TaskView } from '../../../projections/index.ts';
import { deferred } from '../../base/deferred.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';
import { refOf, viewKey } from '../../engine/runtime/views.ts';
import { type Needs, taskInMemory } from '../context.ts';

/** Records that may wait for a slow reader. */
const MAX_WAITING = 100_000;

/**
 * Every record that is committed from now on, in order and without a gap, until the loop is left or Signalbox stops.
 * @throws SignalboxError `overloaded` if the reader is too slow
 */
export function followRecords(
  app: Needs<'log.onRecord' | 'log.closed'>,
): AsyncIterableIterator<StoredRecord> {
  const waiting: StoredRecord[] = [];
  let changed = deferred();
  let overflown = false;
  const stop = app.log.onRecord((record) => {
    if (waiting.length < MAX_WAITING) waiting.push(record);
    else overflown = true;
    changed.resolve();
  });
  app.log.closed.addEventListener('abort', () => changed.resolve(), { once: true });
  async function* read(): AsyncIterableIterator<StoredRecord> {
    try {
      for (;;) {
        for (let record = waiting.shift(); record; record = waiting.shift()) yield record;
        if (overflown) {
          throw new SignalboxError(
            'overloaded',
            `the reader is more than ${MAX_WAITING} records behind: read from the log instead`,
          );
        }
        if (app.log.closed.aborted) return;
        await changed.promise;
        changed = deferred();
      }
    } finally {
      stop();
    }
  }
  return read();
}

/** Waits until the condition holds, checked now and after every record. @returns false if the time is over before */
export function whenRecorded(
  { log, environment }: Needs<'log.onRecord' | 'environment'>,
  isDone: () => boolean,
  limitMs: number,
): Promise<boolean> {
  if (isDone()) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (result: boolean): void => {
      stop();
      cancel();
      resolve(result);
    };
    const stop = log.onRecord(() => {
      if (isDone()) end(true);
    });
    const cancel = environment.clock.schedule(limitMs, () => end(false));
  });
}

type UpdateSources = Needs<'state.projections' | 'log.onRecord' | 'environment'>;

/** Waits for updates of tasks. One listener serves all callers, so a record costs the same however many wait. */
export class TaskUpdates {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stop: () => void;
  readonly #app: UpdateSources;

  constructor(app: UpdateSources) {
    this.#app = app;
    this.#stop = app.log.onRecord(({ event }) => {
      if (!('task' in event)) return;
      for (const wake of this.#waiting.get(taskKey(event)) ?? []) wake();
    });
  }

  /** Resolves when the condition holds for the task, when the time is over, or when the signal is aborted. */
  until(
    view: TaskView,
    isUpdated: (task: TaskView) => boolean,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const isOver = (): boolean => {
      const now = taskInMemory(this.#app, refOf(view));
      // Nothing more happens to a task that has left memory.
      return now === undefined || isUpdated(now);
    };
    if (limitMs <= 0 || signal.aborted || isOver()) return Promise.resolve();
    const key = viewKey(view);
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        cancel();
        this.#forget(key, check);
        resolve();
      };
      const check = (): void => {
        if (isOver()) done();
      };
      const cancel = this.#app.environment.clock.schedule(limitMs, done);
      signal.addEventListener('abort', done, { once: true });
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting.add(check));
    });
  }

  close(): void {
    this.#stop();
  }

  #forget(key: string, check: () => void): void {
    const waiting = this.#waiting.get(key);
    waiting?.delete(check);
    if (waiting?.size === 0) this.#waiting.delete(key);
  }
}
