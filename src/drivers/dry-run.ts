/** Everything happens but the spawn: the claim, the prompt, the events, the review. */
import { hostname } from 'node:os';
import type { Adoption, Driver, Run, RunEnd, RunOrder } from './driver.ts';

export class DryRunDriver implements Driver {
  readonly name = 'dry_run';
  readonly writesBack = true;
  readonly adoptable = true;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async start(order: RunOrder): Promise<Run> {
    const startedAt = this.#now();
    return {
      start: { host: hostname() },
      ended: Promise.resolve(endOf(order)),
      lastSignAt: () => startedAt,
      stop: () => {},
      detach: () => {},
    };
  }

  async adopt(order: RunOrder): Promise<Adoption> {
    return { kind: 'ended', start: { host: hostname() }, end: endOf(order) };
  }
}

/** The output is the prompt, so that one can read what the agent would have been told; the token is struck out. */
function endOf(order: RunOrder): RunEnd {
  const content = order.prompt().replaceAll(order.token, '<token>');
  const title = 'Dry run: the prompt that the agent would have got';
  return {
    result: { kind: 'returned' },
    outputs: [{ type: 'document', title, content, agent: order.agent }],
  };
}
