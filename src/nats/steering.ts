/** Messages of users in the answers that agents get over NATS. */
import { messagesOf, type SteeringMessage } from '../../projections/index.ts';
import type { AppContext } from '../app/context.ts';
import { whenRecorded } from '../app/events/follow.ts';
import { timeOf } from '../app/tasks/task-json.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { type AttemptRef, attemptKey } from '../contracts/ids.ts';
import type { SteeringFields, SteeringItem } from '../contracts/messages/agent-messages.ts';

/** Milliseconds in which it has to be in the log that an agent gets a message, before it does. */
const RECORD_WAIT_MS = 10_000;

/** A worker has passed messages on to the agent of an attempt. If the attempt is over, they are for the next one. */
export function notePassedOn(app: AppContext, attempt: AttemptRef, ids: readonly string[] = []): void {
  if (ids.length > 0 && app.state.host.get('attempt', attemptKey(attempt)))
    app.supervision.supervisor.steering.passedOn(attempt, ids);
}

/**
 * The messages for the answer to a message about an open attempt, whose sender was checked; none if it is over. What is
 * delivered with the answer is in the log first, with the agent's message as its cause: if that comes again, so do they.
 * @throws SignalboxError `log_unavailable` if it is not recorded in time
 */
export async function steeringFor(
  app: AppContext,
  { project, task, attempt }: AttemptRef,
  { steering: way, steered = [] }: SteeringFields,
  cause: string,
): Promise<SteeringItem[]> {
  const ref = { project, task, attempt };
  if (!app.state.host.get('attempt', attemptKey(ref))) return [];
  notePassedOn(app, ref, steered);
  const keeper = app.supervision.supervisor.steering;
  const messages = handedOut();
  const ids = new Set(messages.map(({ id }) => id));
  const isRecorded = (): boolean =>
    messagesOf(app.state.projections.steering, ref).every(
      ({ id, delivered }) => delivered !== null || !ids.has(id),
    );
  if (way === undefined && !(await whenRecorded(app, isRecorded, RECORD_WAIT_MS)))
    throw new SignalboxError('log_unavailable', 'it is not recorded yet that the agent gets a message');
  return messages.map(({ id, text, by, time }) => ({
    project,
    taskId: task,
    attempt,
    id,
    text,
    by,
    time: timeOf(time),
  }));

  function handedOut(): readonly SteeringMessage[] {
    switch (way) {
      case 'none':
        return [];
      case 'confirm':
        return keeper.offered(ref);
      case undefined:
        return keeper.withAnswer(ref, cause);
    }
  }
}
