/**
 * Acts on one message of an agent about its attempt, with the same use cases as over HTTP.
 *
 * Invariant messages/acted-on-once: what a message did is in the log with the message as its cause. So it is recognised after
 * a crash between the act and the acknowledgement, and after a NATS server has brought acknowledged messages back.
 */

import { join } from 'node:path';
import type { JetStreamClient } from '@nats-io/jetstream';
import { addComment, addOutput, authenticateResult, reportStatus } from '../app/agents/agent-messages.ts';
import { type AppContext, findAttempts, findTask } from '../app/context.ts';
import { whenRecorded } from '../app/events/follow.ts';
import { askQuestion } from '../app/questions/questions.ts';
import { Lru } from '../base/lru.ts';
import { agentActor } from '../contracts/actors.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey, checkedTask, type TaskRef, taskKey } from '../contracts/ids.ts';
import type {
  AgentAnswerMessage,
  AgentMessageOf,
  AttemptMessage,
  RemoteOutput,
} from '../contracts/messages/agent-messages.ts';
import type { ContentReference, Output } from '../contracts/tasks.ts';
import type { RunEnd, RunResult } from '../drivers/driver.ts';
import type { RemoteDriver } from '../drivers/remote.ts';
import { fetchObject, writeLogPart } from './remote-files.ts';

export interface ReceivingOptions {
  readonly app: AppContext;
  readonly client: JetStreamClient;
  readonly handled: HandledMessages;
}

export interface Received {
  readonly agent: string;
  /** Of the message. */
  readonly id: string;
  readonly message: AttemptMessage;
  /** Runs the agent's attempts, if it is a remote one. */
  readonly driver: RemoteDriver | undefined;
  /** The worker that sent it. */
  readonly worker: { readonly id: string; readonly pid?: number | undefined };
}

/** Milliseconds in which the end of an attempt must be in the log after its result. */
const END_WAIT_MS = 10_000;
/** Tasks whose messages are remembered; those of others are read from the log again when a message comes. */
const REMEMBERED_TASKS = 1_000;

/** The messages that have been acted on. */
export class HandledMessages {
  readonly #app: AppContext;
  /** By task: the causes in its history. */
  readonly #causes = new Lru<string, Set<string>>(REMEMBERED_TASKS);

  constructor(app: AppContext) {
    this.#app = app;
  }

  async has(ref: TaskRef, cause: string): Promise<boolean> {
    const known = this.#causes.get(taskKey(ref)) ?? (await this.#read(ref));
    this.#causes.set(taskKey(ref), known);
    return known.has(cause);
  }

  note(ref: TaskRef, cause: string): void {
    this.#causes.get(taskKey(ref))?.add(cause);
  }

  async #read(ref: TaskRef): Promise<Set<string>> {
    const causes = new Set<string>();
    for await (const { cause } of this.#app.log.history(ref)) {
      if (cause?.startsWith('message:')) causes.add(cause);
    }
    return causes;
  }
}

/** What an answer says beside that a message was accepted. */
export type Reply = Pick<AgentAnswerMessage, 'question'>;

const ACCEPTED: Reply = {};

/**
 * Acts on the message, unless it has been acted on before.
 * @throws SignalboxError if it is refused, or cannot be acted on now
 */
export async function actOn(options: ReceivingOptions, received: Received): Promise<Reply> {
  const { app, handled } = options;
  const { message, agent, driver } = received;
  const place: Place = {
    ...checkedTask({ project: message.project, task: message.taskId }),
    attempt: message.attempt,
    cause: `message:${agent}/${received.id}`,
  };
  await assertPrincipal(app, place, received);
  // The same question is asked once, however often its message comes.
  if (message.type === 'question') {
    const { id, answer } = await askQuestion(app, place, message.ask, message.token);
    app.supervision.supervisor.attempts.noteSign(place, message.type);
    return { question: { id, answer } };
  }
  if (await handled.has(place, place.cause)) {
    // The worker repeats its request to start: refused if the attempt has ended meanwhile.
    if (message.type === 'status' && message.status === 'working') assertOpen(app, place);
    return ACCEPTED;
  }
  const taken = driver?.take(place, received.worker);
  if (taken?.kind === 'taken') {
    throw new SignalboxError(
      'stale_attempt',
      `attempt ${place.attempt} of task ${place.task} was started by worker ${taken.by}: do not start it again`,
    );
  }
  await act(options, message, received, place);
  app.supervision.supervisor.attempts.noteSign(place, message.type);
  handled.note(place, place.cause);
  return ACCEPTED;
}

/** The attempt that a message is about, and the cause of the events that come of it. */
interface Place extends AttemptRef {
  readonly cause: string;
}

async function act(
  options: ReceivingOptions,
  message: Exclude<AttemptMessage, { type: 'question' }>,
  received: Received,
  place: Place,
): Promise<void> {
  const { app } = options;
  const { token } = message;
  const { cause } = place;
  switch (message.type) {
    case 'status': {
      const { status, detail } = message;
      await reportStatus(app, place, { status, detail }, token, cause);
      return;
    }
    case 'output': {
      const { outputType: type, title, content, object, summary } = message;
      const file = object && (await fetchFor(options, received, object));
      await addOutput(app, place, { type, title, content, summary }, token, { file, cause });
      return;
    }
    case 'comment':
      await addComment(
        app,
        place,
        { body: message.body },
        { actor: agentActor(received.agent), token },
        cause,
      );
      return;
    case 'log': {
      assertOpen(app, place);
      const directory = join(app.settings.directories.attempts, attemptKey(place));
      await writeLogPart(directory, { ...message, bytes: Buffer.from(message.data, 'base64') });
      return;
    }
    case 'result':
      return endAttempt(options, received, message, place);
    default:
      return unreachable(message, 'act');
  }
}

async function endAttempt(
  options: ReceivingOptions,
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

async function outputOf(
  options: ReceivingOptions,
  received: Received,
  output: RemoteOutput,
): Promise<Output> {
  const { outputType: type, title, content, object, summary } = output;
  const content_file = object && (await fetchFor(options, received, object));
  return { type, title, content, content_file, summary, agent: received.agent };
}

function fetchFor(
  { client, app }: ReceivingOptions,
  { agent }: Received,
  object: NonNullable<RemoteOutput['object']>,
): Promise<ContentReference> {
  return fetchObject(client, agent, object, app.settings.directories.content);
}

/** Checks that the token is that of this attempt, and the attempt one of the agent on whose subject the message came. */
async function assertPrincipal(
  app: AppContext,
  place: AttemptRef,
  { agent, message }: Received,
): Promise<void> {
  const { attempts } = await findTask(app, place);
  const attempt = app.supervision.tokens.attemptOf(message.token, place, attempts);
  if (attempt === null || attempt !== message.attempt) {
    throw new SignalboxError(
      'unauthorized',
      `the token is not that of attempt ${message.attempt} of task ${place.task} in project ${place.project}`,
    );
  }
  const owner = (await findAttempts(app, place))[attempt - 1]?.agent;
  if (owner === agent) return;
  throw new SignalboxError(
    'forbidden',
    `attempt ${attempt} of task ${place.task} is not one of agent ${agent}`,
  );
}

function assertOpen(app: AppContext, place: AttemptRef): void {
  if (app.state.host.get('task', taskKey(place))?.context.openAttempt === place.attempt) return;
  throw new SignalboxError('stale_attempt', `attempt ${place.attempt} of task ${place.task} is over`);
}

function viewOf(app: AppContext, place: Place) {
  return app.state.projections.attempts.byTask.get(taskKey(place))?.[place.attempt - 1];
}
