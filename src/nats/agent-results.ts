/** The result of an attempt that runs on another machine: it ends the attempt. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { authenticateResult } from '../app/agents/agent-messages.ts';
import type { AppContext } from '../app/context.ts';
import { whenRecorded } from '../app/events/follow.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import { taskKey } from '../contracts/ids.ts';
import type { AgentMessageOf, RemoteOutput } from '../contracts/messages/agent-messages.ts';
import type { ContentReference, Output } from '../contracts/tasks.ts';
import type { RunEnd, RunResult } from '../drivers/driver.ts';
import type { Place, Received } from './received.ts';
import { fetchObject } from './remote-files.ts';

interface Receiver {
  readonly app: AppContext;
  readonly client: JetStreamClient;
}

/** Milliseconds in which the end of an attempt must be in the log after its result. */
const END_WAIT_MS = 10_000;

/**
 * Ends the attempt, and returns when that is in the log.
 * @throws SignalboxError `invalid_request`, `unauthorized`, `log_unavailable`
 */
export async function endAttempt(
  options: Receiver,
  received: Received,
  result: AgentMessageOf<'result'>,
  place: Place,
): Promise<void> {
  const { app } = options;
  const history = (): ReturnType<typeof viewOf> => viewOf(app, place);
  // The end of an attempt has another cause than the message, which is named in its evidence.
  if (history()?.evidence?.message === received.id) return;
  if (!received.driver) {
    throw new SignalboxError(
      'invalid_request',
      `agent ${received.agent} runs on this machine: the end of its process is its result`,
    );
  }
  await authenticateResult(app, place, result.token);
  const outputs = await Promise.all(result.content.map((output) => outputOf(options, received, output)));
  received.driver.finish(place, endOf(received, result, outputs));
  if (await whenRecorded(app, () => history()?.endedAt != null, END_WAIT_MS)) return;
  throw new SignalboxError('log_unavailable', 'the end of the attempt is not recorded yet');
}

function endOf(
  { id, worker }: Received,
  result: AgentMessageOf<'result'>,
  outputs: readonly Output[],
): RunEnd {
  const { status, error, quota, evidence, metadata, stderrTail, peakMemoryBytes, cpuMs, usage } = result;
  return {
    result: resultOf(result),
    outputs,
    evidence: {
      ...evidence,
      message: id,
      worker: worker.id,
      workerStatus: status,
      completedAt: metadata.completedAt,
      durationMs: metadata.duration,
    },
    ...(status === 'failed' && error !== undefined ? { failure: error } : {}),
    ...(stderrTail === undefined ? {} : { stderrTail }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(usage === undefined ? {} : { usage }),
    ...(quota === undefined ? {} : { quota: { reason: quota.reason, untilMs: Date.parse(quota.until) } }),
  };
}

function resultOf({ status, error, exitCode, signal }: AgentMessageOf<'result'>): RunResult {
  switch (status) {
    case 'completed':
      return exitCode === undefined ? { kind: 'returned' } : { kind: 'exited', code: exitCode, ok: true };
    case 'failed':
      if (signal !== undefined) return { kind: 'signalled', signal };
      if (exitCode !== undefined && exitCode !== 0) return { kind: 'exited', code: exitCode };
      return { kind: 'threw', error: error ?? 'the agent gave no reason' };
    case 'timed_out':
      return { kind: 'threw', error: error ?? 'its worker stopped it at its time limit' };
    case 'cancelled':
      return { kind: 'lost', reason: error ?? 'its worker stopped it' };
    case 'given_back':
      return { kind: 'lost', reason: error ?? 'its worker gave it back' };
    default:
      return unreachable(status, 'resultOf');
  }
}

async function outputOf(options: Receiver, received: Received, output: RemoteOutput): Promise<Output> {
  const { outputType: type, title, content, object, summary } = output;
  const content_file = object && (await fetchFor(options, received, object));
  return { type, title, content, content_file, summary, agent: received.agent };
}

/** The content of an output that the agent has left in its bucket. */
export function fetchFor(
  { client, app }: Receiver,
  { agent }: Received,
  object: NonNullable<RemoteOutput['object']>,
): Promise<ContentReference> {
  return fetchObject(client, agent, object, app.settings.directories.content);
}

function viewOf(app: AppContext, place: Place) {
  return app.state.projections.attempts.byTask.get(taskKey(place))?.[place.attempt - 1];
}
