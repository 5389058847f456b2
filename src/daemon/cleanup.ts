/** Undoes the stages of a start. */
import type { Logger } from 'pino';

type Step = { readonly what: string; readonly undo: () => Promise<void> | void };

/** Steps to undo, in the reverse order. A step that fails does not prevent the others. */
export class Cleanup {
  readonly #steps: Step[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(what: string, undo: Step['undo']): void {
    this.#steps.push({ what, undo });
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        this.#logger.error({ err: error }, `${step.what} did not stop cleanly`);
      }
    }
  }
}
