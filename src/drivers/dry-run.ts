/** An agent that starts nothing: the claim, the prompt, the events and the review happen as usual. */
import { hostname } from 'node:os';
import { z } from 'zod';
import { defineDriver, localOptions } from './definition.ts';
import type { Adoption, Driver, Run, RunEnd, RunRequest } from './driver.ts';

export const dryRunDriver = defineDriver({
  name: 'dry_run',
  schema: z.strictObject({
    driver: z.literal('dry_run').describe('Starts nothing: to try out the rest.'),
    ...localOptions,
    dry_run: z.literal(true).default(true).describe('Always true: there is no process to start.'),
  }),
  create: (_agent, { now }) => new DryRunDriver(now),
  listing: {
    program: '-',
    prompt: '-',
    session: 'none',
    output: '-',
    description: 'everything except the start',
  },
});

export class DryRunDriver implements Driver {
  readonly name = 'dry_run';
  readonly writesBack = true;
  readonly adoptable = true;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async start(request: RunRequest): Promise<Run> {
    const startedAt = this.#now();
    return {
      start: { host: hostname() },
      ended: Promise.resolve(endOf(request)),
      lastSignAt: () => startedAt,
      stop: () => {},
      detach: () => {},
    };
  }

  async adopt(request: RunRequest): Promise<Adoption> {
    return { kind: 'ended', start: { host: hostname() }, end: endOf(request) };
  }
}

/** The output is the prompt that the agent would have got, without the token. */
function endOf(request: RunRequest): RunEnd {
  const content = request.prompt().replaceAll(request.token, '<token>');
  const title = 'Dry run: the prompt that the agent would have got';
  return {
    result: { kind: 'returned' },
    outputs: [{ type: 'document', title, content, agent: request.agent }],
  };
}
