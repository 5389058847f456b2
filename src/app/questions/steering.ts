/** Messages of users to agents: sending them, and handing them out with the answers that an agent gets. */
import type { Steer } from '../../contracts/api/requests.ts';
import type { SteeringAnswer } from '../../contracts/api/steering.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type TaskRef, taskKey } from '../../contracts/ids.ts';
import { MAX_MESSAGES } from '../../contracts/questions.ts';
import {
  type AppContext,
  commitForTask,
  deciderOf,
  findMessages,
  findTask,
  taskInMemory,
} from '../context.ts';
import { steeringJson } from './question-json.ts';

const ID_LENGTH = 12;

/** @throws SignalboxError `task_not_found`, `illegal_transition`, `too_many_messages` */
export async function steerTask(
  app: AppContext,
  ref: TaskRef,
  { text, by }: Steer,
  actor: string,
): Promise<SteeringAnswer> {
  const { project, task } = ref;
  await findTask(app, ref);
  const waiting = app.state.host.get('task', taskKey(ref))?.context.messages.length ?? 0;
  if (waiting >= MAX_MESSAGES) {
    throw new SignalboxError(
      'too_many_messages',
      `${waiting} messages to the agent of task ${task} are not delivered yet: wait until its next attempt has them`,
      { details: { waiting } },
    );
  }
  const message = app.environment.randomId(ID_LENGTH);
  await commitForTask(app, { type: 'task.steered', project, task, message, text }, deciderOf({ by }, actor));
  const sent = (await findMessages(app, ref)).find(({ id }) => id === message);
  if (sent) return steeringJson(sent);
  throw new SignalboxError('internal', `message ${message} is recorded, but not among those of task ${task}`);
}

/** All messages to the agents of a task. @throws SignalboxError `task_not_found`, `log_unavailable` */
export async function listMessages(app: AppContext, ref: TaskRef): Promise<SteeringAnswer[]> {
  return (await findMessages(app, ref)).map(steeringJson);
}

/** The messages for the agent with this token, which then count as delivered; none for any other caller. */
export function messagesFor(app: AppContext, ref: TaskRef, token: string | null): SteeringAnswer[] {
  const { project, task } = ref;
  const { supervisor, tokens } = app.supervision;
  // Looked at first: agents report often, and are seldom told something.
  if (token === null || supervisor.steering.waiting(ref).length === 0) return [];
  const attempt = taskInMemory(app, ref)?.openAttempt ?? null;
  if (attempt === null || !tokens.isOf(token, { project, task, attempt })) return [];
  return [...supervisor.steering.withAnswer({ project, task, attempt })].map(steeringJson);
}
