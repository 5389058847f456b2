/**
 * Which messages of agents have been acted on.
 *
 * D1 What a message did stands in the log, with the message as its cause. So it is known again after a crash between the
 *    act and the acknowledgement, and after a NATS server has brought acknowledged messages back.
 */

import type { AppContext } from '../app/context.ts';
import { Lru } from '../base/lru.ts';
import type { ProjectId, TaskId } from '../contracts/ids.ts';

/** Tasks whose messages are remembered; those of others are read again when one of them speaks. */
const REMEMBERED_TASKS = 1_000;

export function causeOf(agent: string, message: string): string {
  return `message:${agent}/${message}`;
}

export class HandledMessages {
  readonly #app: AppContext;
  /** By task: the causes in its history. */
  readonly #causes = new Lru<string, Set<string>>(REMEMBERED_TASKS);

  constructor(app: AppContext) {
    this.#app = app;
  }

  async has(project: ProjectId, task: TaskId, cause: string): Promise<boolean> {
    const key = `${project}/${task}`;
    const known = this.#causes.get(key) ?? (await this.#read(project, task));
    this.#causes.set(key, known);
    return known.has(cause);
  }

  note(project: ProjectId, task: TaskId, cause: string): void {
    this.#causes.get(`${project}/${task}`)?.add(cause);
  }

  async #read(project: ProjectId, task: TaskId): Promise<Set<string>> {
    const causes = new Set<string>();
    for await (const { cause } of this.#app.log.history(project, task)) {
      if (cause?.startsWith('message:')) causes.add(cause);
    }
    return causes;
  }
}
