/** A request to run an attempt, as drivers get it. */
import { taskSpecSchema } from '../../../src/contracts/tasks.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';

const SPEC = taskSpecSchema.parse({
  title: 'A task',
  description: '',
  priority: 5,
  max_attempts: 1,
  backoff: {},
  review: 'manual',
  outputs: 'required',
});

export function runRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    project: 'demo',
    task: 't',
    attempt: 1,
    agent: 'coder',
    spec: SPEC,
    token: 'secret-token',
    directory: '/nonexistent',
    prompt: () => 'Do it.',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: undefined,
    claimedAt: Date.now(),
    startedOn: null,
    timeoutMs: 60_000,
    killGraceMs: 500,
    url: null,
    resumes: null,
    ask: async () => {},
    withdraw: () => {},
    ...changes,
  };
}
