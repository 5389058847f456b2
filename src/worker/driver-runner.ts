/**
 * Runs jobs by a driver of Signalbox, as Signalbox itself would on its own machine: with the launcher, the kill that proves
 * itself, the captured output.
 *
 * V1 What an earlier worker has left running is ended before the first job: its attempts count as lost.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { unreachable } from '../contracts/errors.ts';
import type { Job } from '../contracts/messages/agent-messages.ts';
import { backoffSchema } from '../contracts/tasks.ts';
import type { Driver, RunEnd, RunRequest } from '../drivers/driver.ts';
import type { JobEnd, JobOutput, JobRunner } from './job-run.ts';
import { shipLogs } from './ship-logs.ts';

export interface DriverRunnerOptions {
  readonly driver: Driver;
  /** Holds a directory for each attempt, as long as it runs. */
  readonly directory: string;
  readonly logger: Logger;
  /** Where the attempts can write back by HTTP. */
  readonly onUrl: (url: string | null) => void;
}

export function driverRunner({ driver, directory, onUrl }: DriverRunnerOptions): JobRunner {
  return async ({ job, signal, log }) => {
    onUrl(job.url);
    const order = orderOf(job, directory);
    const run = await driver.start(order);
    const stop = (): void => run.stop(order.killGraceMs);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const shipping = shipLogs(join(order.directory, 'process'), log);
    const end = await run.ended;
    signal.removeEventListener('abort', stop);
    await shipping.finish();
    const ended = endOf(end, signal.aborted);
    await rm(order.directory, { recursive: true, force: true });
    return ended;
  };
}

/** Ends what an earlier worker with this directory has left running, and removes what it has left behind. */
export async function endLeftovers(
  { driver, directory, logger }: DriverRunnerOptions,
  graceMs: number,
): Promise<void> {
  for (const path of await attemptsIn(directory)) {
    const [project = '', task = '', attempt = ''] = path;
    const order = orderOf(leftJob(project, task, Number(attempt)), directory);
    const adoption = await driver.adopt(order);
    if (adoption.kind === 'running') {
      adoption.run.stop(graceMs);
      const { evidence } = await adoption.run.ended;
      logger.warn({ project, task, attempt, evidence }, 'ended what an earlier worker had left running');
    }
    await rm(order.directory, { recursive: true, force: true });
  }
}

/** The parts of their paths. */
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

function orderOf(job: Job, directory: string): RunRequest {
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
    // Sessions stay on the machine that has them, and the next attempt may be on another.
    resumes: null,
    spec: {
      title: job.title,
      description: job.description,
      action: content.action ?? undefined,
      params: content.params,
      priority: job.priority,
      must_haves: job.mustHaves,
      agent: job.target,
      max_attempts: metadata.maxRetries + 1,
      backoff: backoffSchema.parse({}),
      review: 'auto',
      outputs: 'optional',
      source: job.source,
    },
  };
}

/** Enough of a job to find what it has left. */
function leftJob(project: string, taskId: string, attempt: number): Job {
  const epoch = new Date(0).toISOString();
  return {
    type: 'task',
    project,
    taskId,
    attempt,
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
    metadata: { createdAt: epoch, expireAt: epoch, retryCount: 0, maxRetries: 0 },
    limits: { timeoutSeconds: 1, killGraceSeconds: 0, heartbeatSeconds: 1 },
  };
}

function endOf(end: RunEnd, isStopped: boolean): JobEnd {
  const { outputs, stderrTail, peakMemoryBytes, cpuMs, usage, quota, evidence } = end;
  return {
    ...resultOf(end, isStopped),
    content: outputs.map(
      (output): JobOutput => ({
        outputType: output.type,
        title: output.title,
        content: output.content ?? '',
        summary: output.summary,
      }),
    ),
    stderrTail,
    peakMemoryBytes,
    cpuMs,
    usage,
    evidence: evidence === undefined ? undefined : { ...evidence },
    quota: quota && { reason: quota.reason, until: new Date(quota.untilMs).toISOString() },
  };
}

function resultOf(
  { result, failure: error }: RunEnd,
  isStopped: boolean,
): Pick<JobEnd, 'status' | 'error' | 'exitCode' | 'signal'> {
  switch (result.kind) {
    case 'exited': {
      const { code, ok = code === 0 } = result;
      if (ok && error === undefined && !isStopped) return { status: 'completed', exitCode: code };
      return { status: 'failed', exitCode: code, error };
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
