/**
 * Acts on one message of an agent about its attempt, with the same use cases as over HTTP.
 *
 * Invariant messages/acted-on-once: what a message did is in the log with the message as its cause. So it is recognised after
 * a crash between the act and the acknowledgement, and after a NATS server has brought acknowledged messages back.
 */

import { join } from 'node:path';
import type { JetStreamClient } from '@nats-io/jetstream';
import { addComment, addOutput, reportStatus } from '../app/agents/agent-messages.ts';
import { type AppContext, findAttempts, findTask } from '../app/context.ts';
import { askQuestion, readStoredQuestion, withdrawQuestion } from '../app/questions/questions.ts';
import { Lru } from '../base/lru.ts';
import { agentActor } from '../contracts/actors.ts';
import type { QuestionJson } from '../contracts/api/questions.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey, checkedTask, type TaskRef, taskKey } from '../contracts/ids.ts';
import type { AgentAnswerMessage, AttemptMessage } from '../contracts/messages/agent-messages.ts';
import { endAttempt, fetchFor } from './agent-results.ts';
import type { Place, Received } from './received.ts';
import { writeLogPart } from './remote-files.ts';
import { notePassedOn, steeringFor } from './steering.ts';

export interface ReceivingOptions {
  readonly app: AppContext;
  readonly client: JetStreamClient;
  readonly handled: HandledMessages;
}

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
export type Reply = Pick<AgentAnswerMessage, 'question' | 'steering'>;

const ACCEPTED: Reply = {};

/** The cause of what comes of a message of an agent. */
export function causeOf({ agent, id }: Pick<Received, 'agent' | 'id'>): string {
  return `message:${agent}/${id}`;
}

/**
 * Acts on the message, unless it has been acted on before. The reply has what users tell the agent.
 * @throws SignalboxError if it is refused, or cannot be acted on now
 */
export async function actOn(options: ReceivingOptions, received: Received): Promise<Reply> {
  const { app } = options;
  const { message } = received;
  const place: Place = {
    ...checkedTask({ project: message.project, task: message.taskId }),
    attempt: message.attempt,
    cause: causeOf(received),
  };
  await assertPrincipal(app, place, received);
  // Before its end is recorded: what it has passed on is not for the next attempt.
  if (message.type === 'result') notePassedOn(app, place, message.steered);
  const reply = await actOnce(options, received, place);
  if (message.type === 'result') return reply;
  const steering = await steeringFor(app, place, message, place.cause);
  return steering.length === 0 ? reply : { ...reply, steering };
}

async function actOnce(options: ReceivingOptions, received: Received, place: Place): Promise<Reply> {
  const { app, handled } = options;
  const { message, agent, driver } = received;
  // The same question is asked once, and withdrawn once, however often its message comes.
  if (message.type === 'question') {
    const { id, answer } = await askQuestion(app, place, message.ask, message.token);
    app.supervision.supervisor.attempts.noteSign(place, message.type);
    return { question: { id, answer } };
  }
  if (message.type === 'withdrawal') {
    const { id, answer } = await withdrawn(app, place, message.question, {
      actor: agentActor(agent),
      token: message.token,
    });
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

/** The question, withdrawn or answered before. @throws SignalboxError as `withdrawQuestion`, but for `question_answered` */
async function withdrawn(
  app: AppContext,
  { project, task }: TaskRef,
  question: string,
  sender: { readonly actor: string; readonly token: string },
): Promise<QuestionJson> {
  const ref = { project, task, question };
  try {
    return await withdrawQuestion(app, ref, {}, sender);
  } catch (error) {
    if (error instanceof SignalboxError && error.code === 'question_answered')
      return readStoredQuestion(app, ref);
    throw error;
  }
}

async function act(
  options: ReceivingOptions,
  message: Exclude<AttemptMessage, { type: 'question' | 'withdrawal' }>,
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
