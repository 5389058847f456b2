/** How fast a server answers while something else goes on. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';

const PAUSE_MS = 15;
/** A server that is blocked never answers: this only ends the waiting. */
const LIMIT_MS = 20_000;

const answerTimesSchema = z.strictObject({
  count: z.int(),
  medianMs: z.number(),
  maxMs: z.number(),
  /** Answers that were not 200, and requests that were not answered: the first ten. */
  refusals: z.array(z.string()),
});
export type AnswerTimes = z.output<typeof answerTimesSchema>;

/** Asks the URL until the work is done. */
export async function answerTimesDuring(url: string, work: () => Promise<void>): Promise<AnswerTimes> {
  const thread = new Worker(new URL('./answer-times-thread.mjs', import.meta.url), {
    workerData: { url, pauseMs: PAUSE_MS, limitMs: LIMIT_MS },
  });
  try {
    await work();
    const told = once(thread, 'message');
    thread.postMessage('stop');
    const [times] = await told;
    return answerTimesSchema.parse(times);
  } finally {
    await thread.terminate();
  }
}
