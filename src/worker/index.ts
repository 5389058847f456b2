/**
 * Workers: agents of Signalbox on other machines, as a library.
 *
 *     import { startWorker, readCredentials } from 'signalbox/worker';
 *
 *     const worker = await startWorker({
 *       agent: 'builder',
 *       servers: 'tls://nats.example.org:4222',
 *       authenticator: await readCredentials('builder.nk'),
 *       concurrency: 2,
 *       actions: { code_review: async ({ params, progress }) => `looked at ${params.path}` },
 *       default: ({ job }) => `did ${job.title}`,
 *     });
 *     process.once('SIGTERM', () => worker.stop(30_000));
 */
import { type JobHandlers, runnerOf } from './handlers.ts';
import { Worker, type WorkerOptions } from './worker.ts';

export type { Job, WorkerIdentity } from '../contracts/messages/agent-messages.ts';
export { readCredentials } from './credentials.ts';
export type { HandlerOutput, JobHandler, JobHandlers as Handlers } from './handlers.ts';
export type { JobContext, JobEnd, JobOutput, JobRunner, JobStopReason as StopReason } from './job-run.ts';
export type { SteeringListener } from './job-steering.ts';
export { Worker, type WorkerOptions } from './worker.ts';

export type HandlerWorkerOptions = Omit<WorkerOptions, 'run'> & JobHandlers;

/** Starts a worker that runs each job by the handler of its action. @throws SignalboxError `nats_unavailable` */
export function startWorker({ actions, default: other, ...options }: HandlerWorkerOptions): Promise<Worker> {
  return Worker.start({ ...options, run: runnerOf({ actions, default: other }) });
}
