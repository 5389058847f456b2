/**
 * Undoes the stages of a start. What waits for others (requests in flight, receivers, a NATS server that does not answer)
 * gets a limited time together, so that a stop always ends.
 */
import type { Logger } from 'pino';
import { withLimit } from '../base/time.ts';

type Step = {
  readonly what: string;
  readonly undo: () => Promise<void> | void;
  readonly isUnlimited: boolean;
};

/** Milliseconds that all steps with a limit may take together. */
const PATIENCE_MS = 3_000;
/** Milliseconds that a step gets when that time is over. */
const LAST_MS = 100;

/** Steps to undo, in the reverse order. A step that fails does not prevent the others. */
export class Cleanup {
  readonly #steps: Step[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(what: string, undo: Step['undo']): void {
    this.#steps.push({ what, undo, isUnlimited: false });
  }

  /** For a step of this machine alone, which the next start depends on. */
  addUnlimited(what: string, undo: Step['undo']): void {
    this.#steps.push({ what, undo, isUnlimited: true });
  }

  async run(): Promise<void> {
    let leftMs = PATIENCE_MS;
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      const began = performance.now();
      await this.#undo(step, Math.max(leftMs, LAST_MS));
      if (!step.isUnlimited) leftMs -= performance.now() - began;
    }
  }

  async #undo({ what, undo, isUnlimited }: Step, limitMs: number): Promise<void> {
    const undone = (async () => undo())().catch((error: unknown) => {
      this.#logger.error({ err: error }, `${what} did not stop cleanly`);
    });
    if (isUnlimited) return undone;
    await withLimit(undone, limitMs, () =>
      this.#logger.warn(`${what} did not stop in time: not waiting any longer`),
    );
  }
}
