/** Tasks that have left memory, read back from their own subject of the log. They are history: nothing happens to them. */

import { type AttemptView, attemptHistory, blackboard, type TaskView } from '../../../projections/index.ts';
import { Lru } from '../../base/lru.ts';
import type { StoredRecord } from '../../contracts/events/events.ts';
import { taskKey } from '../../contracts/ids.ts';

export interface ArchivedTask {
  readonly view: TaskView;
  readonly attempts: readonly AttemptView[];
}

/** What the log has of single tasks. */
export interface Histories {
  /** Whether there ever was such a task. */
  has(project: string, task: string): Promise<boolean>;
  /** Its records, in order. */
  read(project: string, task: string): AsyncIterable<StoredRecord>;
}

/** Tasks that were read of late, so that somebody who looks at one again and again reads the log once. */
const KEPT = 256;

export class Archive {
  readonly #histories: Histories;
  readonly #kept = new Lru<string, ArchivedTask>(KEPT);

  constructor(histories: Histories) {
    this.#histories = histories;
  }

  /** @returns null for a task that never was. @throws what reading the log throws */
  async find(project: string, id: string): Promise<ArchivedTask | null> {
    const key = taskKey({ project, task: id });
    const kept = this.#kept.get(key);
    if (kept) return kept;
    if (!(await this.#histories.has(project, id))) return null;
    const found = await fold(this.#histories.read(project, id), key);
    if (found) this.#kept.set(key, found);
    return found;
  }

  /** A late word may still be recorded of a task: what was read before is not all any more. */
  onRecord({ event }: StoredRecord): void {
    if ('task' in event && this.#kept.size > 0) this.#kept.delete(taskKey(event));
  }
}

async function fold(records: AsyncIterable<StoredRecord>, key: string): Promise<ArchivedTask | null> {
  const board = blackboard.initial();
  const history = attemptHistory.initial();
  for await (const record of records) {
    blackboard.evolve(board, record);
    attemptHistory.evolve(history, record);
  }
  const view = board.tasks.get(key);
  return view ? { view, attempts: history.byTask.get(key) ?? [] } : null;
}
