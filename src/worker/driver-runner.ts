/**
 * Runs jobs by a driver, as Signalbox itself would on its own machine: with the launcher, the kill evidence and the
 * captured output. Processes that an earlier worker left running are ended before the first job: their attempts count
 * as lost.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { GivenAnswerJson } from '../contracts/api/questions.ts';
import { backoffSchema } from '../contracts/config-values.ts';
import { unreachable } from '../contracts/errors.ts';
import type { Job } from '../contracts/messages/agent-messages.ts';
import { storedFieldsOf } from '../contracts/task-fields.ts';
import { cleanUsage } from '../contracts/usage.ts';
import type { Driver, Run, RunAnswer, RunEnd, RunQuestion, RunRequest } from '../drivers/driver.ts';
import { formatOf } from '../drivers/transcript/format-file.ts';
import { type JobEnd, type JobRunner, jobOutputs } from './job-run.ts';
import { shipLogs } from './ship-logs.ts';

export interface DriverRunnerOptions {
  readonly driver: Driver;
  /** Holds a directory for each attempt while it runs. */
  readonly directory: string;
  readonly logger: Logger;
  /** Called with the URL at which attempts can write back by HTTP. */
  readonly onUrl: (url: string | null) => void;
}

export function driverRunner({ driver, directory, onUrl }: DriverRunnerOptions): JobRunner {
  return async ({ job, signal, log, ask, onSteering }) => {
    onUrl(job.url);
    let run: Run | undefined;
    /** Questions whose answer it waits for. */
    const waiting = new Map<string, AbortController>();
    /** Answers that came while it was being started. */
    const early: RunAnswer[] = [];
    const take = (answer: RunAnswer): void => {
      if (run) run.answer?.(answer);
      else early.push(answer);
    };
    const request = {
      ...requestOf(job, directory),
      ask: ({ id, expires_at_ms, ...question }: RunQuestion) =>
        new Promise<void>((resolve, reject) => {
          const expires_at = expires_at_ms === undefined ? undefined : new Date(expires_at_ms).toISOString();
          const gone = new AbortController();
          waiting.set(id, gone);
          ask({ ...question, id, expires_at }, resolve, gone.signal)
            .finally(() => waiting.delete(id))
            .then((answer) => take(runAnswerOf(answer, { ...question, id })), reject);
        }),
      withdraw: (question: string) => waiting.get(question)?.abort(),
    };
    const started = await driver.start(request);
    run = started;
    for (const answer of early) started.answer?.(answer);
    if (started.steer) onSteering((message) => started.steer?.(message));
    const stop = (): void => started.stop(request.killGraceMs);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const shipping = shipLogs(join(request.directory, 'process'), (stream, offset, bytes) => {
      const isFirst = stream === 'stdout' && offset === 0;
      return log(stream, offset, bytes, isFirst ? formatOf(request.directory) : undefined);
    });
    const end = await started.ended;
    signal.removeEventListener('abort', stop);
    await shipping.finish();
    const ended = endOf(end, signal.aborted);
    await rm(request.directory, { recursive: true, force: true });
    return ended;
  };
}

/** Ends the processes that an earlier worker with this directory left running, and removes its files. */
export async function endLeftovers(
  { driver, directory, logger }: DriverRunnerOptions,
  graceMs: number,
): Promise<void> {
  for (const path of await attemptsIn(directory)) {
    const [project = '', task = '', attempt = ''] = path;
    const request = requestOf({ ...UNKNOWN_JOB, project, taskId: task, attempt: Number(attempt) }, directory);
    const adoption = await driver.adopt(request);
    if (adoption.kind === 'running') {
      adoption.run.stop(graceMs);
      const { evidence } = await adoption.run.ended;
      logger.warn(
        { project, task, attempt, evidence },
        'ended a process that an earlier worker had left running',
      );
    }
    await rm(request.directory, { recursive: true, force: true });
  }
}

/** The project, task and attempt of each directory. */
async function attemptsIn(directory: string): Promise<string[][]> {
  let paths: string[][] = [[]];
  for (let level = 0; level < 3; level++) {
    const deeper = paths.map(async (path) => {
      const names = await readdir(join(directory, ...path)).catch(() => []);
      return names.map((name) => [...path, name]);
    });
    paths = (await Promise.all(deeper)).flat();
  }
  return paths;
}

function requestOf(job: Job, directory: string): RunRequest {
  const { project, taskId: task, attempt, content, metadata, limits } = job;
  return {
    project,
    task,
    attempt,
    agent: job.target,
    token: job.token,
    directory: join(directory, project, task, String(attempt)),
    prompt: () => job.prompt,
    claimedAt: Date.parse(metadata.createdAt),
    startedOn: null,
    timeoutMs: limits.timeoutSeconds * 1_000,
    killGraceMs: limits.killGraceSeconds * 1_000,
    url: job.url,
    traceparent: job.traceparent,
    tracestate: job.tracestate,
    // A session stays on its machine, and the next attempt may run on another.
    resumes: null,
    // A run that is only looked for asks nothing.
    ask: () => Promise.resolve(),
    withdraw: () => {},
    spec: {
      ...storedFieldsOf(job),
      action: content.action ?? undefined,
      params: content.params,
      agent: job.target,
      max_attempts: metadata.maxRetries + 1,
      backoff: backoffSchema.parse({}),
      review: 'auto',
      outputs: 'optional',
      source: job.source,
    },
  };
}

function runAnswerOf(
  { action, option, content, comment, by }: GivenAnswerJson,
  { id, options }: RunQuestion,
): RunAnswer {
  const chosen = options?.find((each) => each.id === option);
  return {
    question: id,
    action,
    option: option ?? undefined,
    content: content ?? undefined,
    comment: comment ?? undefined,
    chosen,
    by,
  };
}

const EPOCH = new Date(0).toISOString();

/** Enough of a job to find the processes of its attempt. */
const UNKNOWN_JOB: Omit<Job, 'project' | 'taskId' | 'attempt'> = {
  type: 'task',
  token: '',
  source: '',
  target: '',
  priority: 1,
  title: '',
  description: '',
  content: { action: null, params: {} },
  mustHaves: [],
  prompt: '',
  url: null,
  traceparent: '',
  metadata: { createdAt: EPOCH, expireAt: EPOCH, retryCount: 0, maxRetries: 0 },
  limits: { timeoutSeconds: 1, killGraceSeconds: 0, heartbeatSeconds: 1 },
};

function endOf(end: RunEnd, isStopped: boolean): JobEnd {
  const { outputs, stderrTail, peakMemoryBytes, cpuMs, usage, quota, evidence } = end;
  return {
    ...resultOf(end, isStopped),
    content: jobOutputs(outputs),
    stderrTail,
    peakMemoryBytes,
    cpuMs,
    usage: cleanUsage(usage),
    evidence: evidence === undefined ? undefined : { ...evidence },
    quota: quota && { reason: quota.reason, until: new Date(quota.untilMs).toISOString() },
  };
}

function resultOf(
  { result, failure: error, complaint }: RunEnd,
  isStopped: boolean,
): Pick<JobEnd, 'status' | 'error' | 'exitCode' | 'signal'> {
  switch (result.kind) {
    case 'exited': {
      const { code, ok = code === 0 } = result;
      if (ok && error === undefined && !isStopped) return { status: 'completed', exitCode: code };
      // A report of the agent counts more than what a stopped program printed.
      return { status: 'failed', exitCode: code, error: isStopped ? error : (error ?? complaint) };
    }
    case 'returned':
      return error === undefined ? { status: 'completed' } : { status: 'failed', error };
    case 'signalled':
      return { status: 'failed', signal: result.signal };
    case 'threw':
      return { status: 'failed', error: result.error };
    case 'lost':
      return { status: 'failed', error: result.reason };
    default:
      return unreachable(result, 'resultOf');
  }
}
