/**
 * Waiting for news of one task. All who wait hear of the log by one listener: a record costs the same whether one waits
 * or a thousand.
 */

import type { TaskView } from '../../../projections/index.ts';
import { taskKey } from '../../contracts/ids.ts';
import { type Needs, taskInMemory } from '../context.ts';

type NewsSources = Needs<'state.projections' | 'log.onRecord' | 'environment'>;

export class TaskNews {
  /** Who waits, by `project/task`. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stop: () => void;
  readonly #app: NewsSources;

  constructor(app: NewsSources) {
    this.#app = app;
    this.#stop = app.log.onRecord(({ event }) => {
      if (!('task' in event)) return;
      for (const wake of this.#waiting.get(taskKey(event)) ?? []) wake();
    });
  }

  /**
   * Resolves when the condition holds, when the time is over, or when the signal is aborted.
   * @param isNews asked of the task as it is then
   */
  until(
    { project, id }: TaskView,
    isNews: (task: TaskView) => boolean,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const isOver = (): boolean => {
      const now = taskInMemory(this.#app, project, id);
      // It has left memory: nothing more happens to it.
      return now === undefined || isNews(now);
    };
    if (limitMs <= 0 || signal.aborted || isOver()) return Promise.resolve();
    const key = taskKey({ project, task: id });
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        cancel();
        this.#forget(key, look);
        resolve();
      };
      const look = (): void => {
        if (isOver()) done();
      };
      const cancel = this.#app.environment.clock.schedule(limitMs, done);
      signal.addEventListener('abort', done, { once: true });
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting.add(look));
    });
  }

  close(): void {
    this.#stop();
  }

  #forget(key: string, look: () => void): void {
    const waiting = this.#waiting.get(key);
    waiting?.delete(look);
    if (waiting?.size === 0) this.#waiting.delete(key);
  }
}
