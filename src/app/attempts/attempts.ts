/** Attempts: finding, listing and stopping them. */
import type { AttemptView } from '../../../projections/index.ts';
import type { AttemptAnswer, OpenAttempt } from '../../contracts/api/answers.ts';
import type { Attribution } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { type AttemptRef, attemptKey, parseAttemptKey } from '../../contracts/ids.ts';
import { attemptOf } from '../../engine/runtime/views.ts';
import { type AppContext, deciderOf, findAttempts, findTask, type Needs, type Readable } from '../context.ts';
import { attemptJson, timeOf } from '../tasks/task-json.ts';

/** @throws SignalboxError `task_not_found`, `not_found` */
export async function findAttempt(app: Pick<Readable, 'state'>, ref: AttemptRef): Promise<AttemptView> {
  const { attempts } = await findTask(app, ref);
  const found = (await findAttempts(app, ref))[ref.attempt - 1];
  if (found) return found;
  const { project, task, attempt } = ref;
  const has = attempts === 0 ? 'it has none' : `its newest is ${attempts}`;
  const message = `task ${task} in project ${project} has no attempt ${attempt}: ${has}`;
  throw new SignalboxError('not_found', message, { details: { project, task, attempt, attempts } });
}

/**
 * Stops an open attempt: its processes are ended, by force after the grace of its agent. The task is then retried while
 * attempts are left.
 * @returns the attempt afterwards. @throws SignalboxError `not_found`, `illegal_transition`, `log_unavailable`
 */
export async function killAttempt(
  app: AppContext,
  ref: AttemptRef,
  request: Attribution,
  actor: string,
): Promise<AttemptAnswer> {
  const { project, task, attempt } = ref;
  const { endedAt, state } = await findAttempt(app, ref);
  if (endedAt !== null) {
    throw new SignalboxError(
      'illegal_transition',
      `attempt ${attempt} of task ${task} is over (${state}): there is nothing to stop`,
      { details: { entity: 'attempt', id: attemptKey(ref), status: state, legal: [] } },
    );
  }
  app.log.assertWritable();
  await app.log.commit(
    { type: 'attempt.stop_requested', project, task, attempt, reason: 'operator' },
    { actor: deciderOf(request, actor) },
  );
  return attemptJson(await findAttempt(app, ref));
}

/** Open attempts, in the order in which they were claimed. */
export function openAttempts({ state }: Needs<'state.host' | 'state.projections'>): AttemptView[] {
  return [...state.host.ids('attempt')].flatMap(
    (key) => attemptOf(state.projections, parseAttemptKey(key)) ?? [],
  );
}

export function openAttemptJson(attempt: AttemptView): OpenAttempt {
  return {
    project: attempt.project,
    task: attempt.task,
    attempt: attempt.attempt,
    agent: attempt.agent,
    status: attempt.state,
    driver: attempt.driver,
    host: attempt.host,
    pid: attempt.pid,
    started_at: timeOf(attempt.startedAt),
    deadline: timeOf(attempt.deadline),
  };
}
