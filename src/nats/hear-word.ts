/** One word of an agent about its attempt, said by message: the same use cases as by HTTP. */
import { join } from 'node:path';
import type { JetStreamClient } from '@nats-io/jetstream';
import { addComment, addOutput, hearResult, reportStatus } from '../app/agents/agent-words.ts';
import type { ContentReference } from '../app/attempts/content-store.ts';
import { type AppContext, findAttempts, findTask } from '../app/context.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import { type ProjectId, projectId, type TaskId, taskId } from '../contracts/ids.ts';
import type { AgentMessageOf, RemoteOutput, Word } from '../contracts/messages/agent-messages.ts';
import type { Output } from '../contracts/tasks.ts';
import type { RunEnd, RunResult } from '../drivers/driver.ts';
import type { RemoteDriver } from '../drivers/remote.ts';
import { causeOf, type HandledMessages } from './handled-messages.ts';
import { fetchObject } from './remote-files.ts';
import { writeLogPiece } from './remote-logs.ts';

export interface HearingOptions {
  readonly app: AppContext;
  readonly client: JetStreamClient;
  readonly handled: HandledMessages;
}

export interface Said {
  readonly agent: string;
  /** Of the message. */
  readonly id: string;
  readonly word: Word;
  /** Who runs the agent's attempts, where it is a remote one. */
  readonly driver: RemoteDriver | undefined;
  /** The worker that speaks. */
  readonly worker: { readonly id: string; readonly pid?: number | undefined };
}

/** Milliseconds in which the end of an attempt has to be in the log after its result. */
const END_WAIT_MS = 10_000;

/**
 * Does what the word says. A word that has been acted on before does nothing.
 * @throws SignalboxError where it is refused, or cannot be acted on now
 */
export async function hearWord(options: HearingOptions, said: Said): Promise<void> {
  const { app, handled } = options;
  const { word, agent, driver } = said;
  const project = projectId(word.project);
  const task = taskId(word.taskId);
  await assertSpeaker(app, project, task, said);
  const cause = causeOf(agent, said.id);
  if (await handled.has(project, task, cause)) {
    // Asked again whether it may begin: not if the attempt has ended meanwhile.
    if (word.type === 'status' && word.status === 'working') assertOpen(app, project, task, word.attempt);
    return;
  }
  const address = { project, task, attempt: word.attempt };
  const taken = driver?.take(address, said.worker);
  if (taken?.kind === 'taken') {
    throw new SignalboxError(
      'stale_attempt',
      `attempt ${word.attempt} of task ${task} was begun by worker ${taken.by}: do not begin it a second time`,
    );
  }
  await act(options, said, { project, task, cause });
  app.supervision.supervisor.attempts.noteSign(address, word.type);
  handled.note(project, task, cause);
}

interface Place {
  readonly project: ProjectId;
  readonly task: TaskId;
  readonly cause: string;
}

async function act(options: HearingOptions, said: Said, { project, task, cause }: Place): Promise<void> {
  const { app } = options;
  const { word } = said;
  const { token } = word;
  switch (word.type) {
    case 'status': {
      const { status, detail } = word;
      await reportStatus(app, project, task, { status, detail }, token, cause);
      return;
    }
    case 'output': {
      const { outputType: type, title, content, object, summary } = word;
      const file = object && (await fetchFor(options, said, object));
      await addOutput(app, project, task, { type, title, content, summary }, token, { file, cause });
      return;
    }
    case 'comment':
      await addComment(app, project, task, { body: word.body }, token, cause);
      return;
    case 'log': {
      assertOpen(app, project, task, word.attempt);
      const directory = join(app.settings.directories.attempts, project, task, String(word.attempt));
      await writeLogPiece(directory, { ...word, bytes: Buffer.from(word.data, 'base64') });
      return;
    }
    case 'result':
      return hearEnd(options, said, word, { project, task, cause });
    default:
      return unreachable(word, 'hearWord');
  }
}

async function hearEnd(
  options: HearingOptions,
  said: Said,
  result: AgentMessageOf<'result'>,
  { project, task }: Place,
): Promise<void> {
  const { app } = options;
  const { attempt } = result;
  const history = (): ReturnType<typeof viewOf> => viewOf(app, project, task, attempt);
  // The end of an attempt has another cause than the message; that names itself in the evidence.
  if (history()?.evidence?.message === said.id) return;
  if (!said.driver) {
    throw new SignalboxError(
      'invalid_request',
      `agent ${said.agent} runs on this machine: the end of its process is its result`,
    );
  }
  await hearResult(app, project, task, result.token);
  const outputs = await Promise.all(result.content.map((output) => outputOf(options, said, output)));
  said.driver.finish({ project, task, attempt }, endOf(said, result, outputs));
  await whenEnded(app, () => history()?.endedAt != null);
}

function endOf(said: Said, result: AgentMessageOf<'result'>, outputs: readonly Output[]): RunEnd {
  const { status, error, quota, evidence, metadata, stderrTail, peakMemoryBytes, cpuMs, usage } = result;
  return {
    result: resultOf(result),
    outputs,
    evidence: {
      ...evidence,
      message: said.id,
      worker: said.worker.id,
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
      return { kind: 'threw', error: error ?? 'its worker stopped it, because its time was over' };
    case 'cancelled':
      return { kind: 'lost', reason: error ?? 'its worker has stopped it' };
    case 'given_back':
      return { kind: 'lost', reason: error ?? 'its worker has given it back' };
    default:
      return unreachable(status, 'resultOf');
  }
}

async function outputOf(options: HearingOptions, said: Said, output: RemoteOutput): Promise<Output> {
  const { outputType: type, title, content, object, summary } = output;
  const content_file = object && (await fetchFor(options, said, object));
  return { type, title, content, content_file, summary, agent: said.agent };
}

function fetchFor(
  { client, app }: HearingOptions,
  { agent }: Said,
  object: NonNullable<RemoteOutput['object']>,
): Promise<ContentReference> {
  return fetchObject(client, agent, object, app.settings.directories.content);
}

/** The token is the one of this attempt, and the attempt is the one of the agent whose subject it was said on. */
async function assertSpeaker(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  { agent, word }: Said,
): Promise<void> {
  const { attempts } = await findTask(app, project, task);
  const attempt = app.supervision.tokens.attemptOf(word.token, { project, task }, attempts);
  if (attempt === null || attempt !== word.attempt) {
    throw new SignalboxError(
      'unauthorized',
      `the token is not the one of attempt ${word.attempt} of task ${task} in project ${project}`,
    );
  }
  const speaker = (await findAttempts(app, project, task))[attempt - 1]?.agent;
  if (speaker === agent) return;
  throw new SignalboxError('forbidden', `attempt ${attempt} of task ${task} is not one of agent ${agent}`);
}

function assertOpen(app: AppContext, project: ProjectId, task: TaskId, attempt: number): void {
  if (app.state.host.get('task', `${project}/${task}`)?.context.openAttempt === attempt) return;
  throw new SignalboxError('stale_attempt', `attempt ${attempt} of task ${task} is over`);
}

function viewOf(app: AppContext, project: ProjectId, task: TaskId, attempt: number) {
  return app.state.projections.attempts.byTask.get(`${project}/${task}`)?.[attempt - 1];
}

async function whenEnded(app: AppContext, isEnded: () => boolean): Promise<void> {
  if (isEnded()) return;
  await new Promise<void>((resolve, reject) => {
    const stop = app.log.onRecord(() => {
      if (!isEnded()) return;
      stop();
      cancel();
      resolve();
    });
    const cancel = app.environment.clock.schedule(END_WAIT_MS, () => {
      stop();
      reject(new SignalboxError('log_unavailable', 'the end of the attempt is not recorded yet'));
    });
  });
}
