import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../../src/contracts/messages/agent-messages.ts';
import type { Driver, RunEnd, RunRequest } from '../../../src/drivers/driver.ts';
import { driverRunner } from '../../../src/worker/driver-runner.ts';
import { logger } from '../../support/nats/remote.ts';

const EPOCH = new Date(0).toISOString();

const JOB: Job = {
  type: 'task',
  taskId: 't',
  project: 'demo',
  attempt: 1,
  token: 'secret',
  source: 'test',
  target: 'far',
  priority: 5,
  title: 'a job',
  description: '',
  content: { action: null, params: {} },
  mustHaves: [],
  prompt: 'Do it.',
  url: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  metadata: { createdAt: EPOCH, expireAt: EPOCH, retryCount: 0, maxRetries: 0 },
  limits: { timeoutSeconds: 60, killGraceSeconds: 1, heartbeatSeconds: 1 },
};

/** Runs a job whose run ends like this at once. @returns what the worker reports, and the order that the driver got */
async function run(end: Pick<RunEnd, 'result' | 'failure'>) {
  const orders: RunRequest[] = [];
  const driver: Driver = {
    name: 'stub',
    writesBack: false,
    adoptable: false,
    start: async (order) => {
      orders.push(order);
      return {
        start: { host: 'here' },
        ended: Promise.resolve({ outputs: [], ...end }),
        lastSignAt: () => 0,
        stop: () => {},
        detach: () => {},
      };
    },
    adopt: async () => ({ kind: 'never_started' }),
  };
  const directory = join(tmpdir(), `signalbox-runner-${process.pid}`);
  const runner = driverRunner({ driver, directory, logger, onUrl: () => {} });
  const nothing = async (): Promise<void> => {};
  const { signal } = new AbortController();
  const reported = await runner({
    job: JOB,
    params: {},
    signal,
    logger,
    progress: nothing,
    output: nothing,
    ask: () => Promise.reject(new Error('nothing is asked')),
    onSteering: () => {},
    comment: nothing,
    log: nothing,
  });
  return { reported, order: orders[0] };
}

describe('a job that a driver runs', () => {
  it('has failed if its result says so, even with exit code 0', async () => {
    const { reported } = await run({ result: { kind: 'exited', code: 0, ok: true }, failure: 'no credit' });
    expect(reported).toMatchObject({ status: 'failed', exitCode: 0, error: 'no credit' });
  });

  it('has failed with another exit code, and reports what the code means', async () => {
    const { reported } = await run({ result: { kind: 'exited', code: 3, ok: false }, failure: 'no key' });
    expect(reported).toMatchObject({ status: 'failed', exitCode: 3, error: 'no key' });
  });

  it('is completed with an exit code that its driver counts as a success', async () => {
    const { reported } = await run({ result: { kind: 'exited', code: 7, ok: true } });
    expect(reported).toMatchObject({ status: 'completed', exitCode: 7 });
  });

  it('gets the trace of its attempt, and no session, because the attempt before may have run elsewhere', async () => {
    const { order } = await run({ result: { kind: 'returned' } });
    expect(order).toMatchObject({ traceparent: JOB.traceparent, resumes: null });
  });
});
