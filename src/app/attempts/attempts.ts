/** Attempts: finding, listing and stopping them. */
import type { AttemptView } from '../../../projections/index.ts';
import type { AttemptAnswer, OpenAttempt } from '../../contracts/api/answers.ts';
import type { Attribution, Extension } from '../../contracts/api/requests.ts';
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

/**
 * Gives a running attempt more time: its deadline is so much later, and its silence does not count for so long from now.
 * @returns the attempt afterwards. @throws SignalboxError `not_found`, `illegal_transition`, `log_unavailable`
 */
export async function extendAttempt(
  app: AppContext,
  ref: AttemptRef,
  { seconds, by }: Extension,
  actor: string,
): Promise<AttemptAnswer> {
  const { project, task, attempt } = ref;
  await findAttempt(app, ref);
  const decider = deciderOf({ by }, actor);
  app.log.assertWritable();
  const more = Math.round(seconds * 1_000);
  const limits = {
    deadline_ms: deadlineOf(app, ref) + more,
    silent_until_ms: Math.round(app.environment.clock.now()) + more,
  };
  await app.log.commit({ type: 'attempt.extended', project, task, attempt, ...limits }, { actor: decider });
  return attemptJson(await findAttempt(app, ref));
}

/** The deadline of an attempt that runs, decisions that are not stored included. @throws SignalboxError `illegal_transition` */
function deadlineOf({ state: { host } }: Needs<'state.host'>, ref: AttemptRef): number {
  const entity = host.get('attempt', attemptKey(ref));
  const { deadline = null, verdict = null } = entity?.context ?? {};
  const isStopping = entity?.state === 'stopping';
  if (deadline !== null && verdict === null && !isStopping) return deadline;
  const obstacle = !entity
    ? 'is over'
    : isStopping
      ? 'is being stopped'
      : verdict === null
        ? 'has not started'
        : 'has reported its result';
  throw new SignalboxError(
    'illegal_transition',
    `attempt ${ref.attempt} of task ${ref.task} ${obstacle}: it cannot get more time`,
    { details: { entity: 'attempt', id: attemptKey(ref), status: entity?.state ?? 'over', legal: [] } },
  );
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
