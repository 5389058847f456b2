/** One attempt: reading it, and stopping it. */
import type { AttemptView } from '../../../projections/index.ts';
import type { AttemptAnswer, AttemptProcesses } from '../../contracts/api/answers.ts';
import type { Attribution } from '../../contracts/api/requests.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { attemptKey, type ProjectId, type TaskId } from '../../contracts/ids.ts';
import { type AppContext, findAttempts, findTask } from '../context.ts';
import { deciderOf } from '../decider.ts';
import { attemptJson } from '../tasks/task-json.ts';
import { openAttemptJson, openAttempts } from './open-attempts.ts';

/** @throws SignalboxError `task_not_found`, `not_found` */
export async function findAttempt(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  number: number,
): Promise<AttemptView> {
  const { attempts } = await findTask(app, project, task);
  const attempt = (await findAttempts(app, project, task))[number - 1];
  if (attempt) return attempt;
  const has = attempts === 0 ? 'it has none' : `its newest is ${attempts}`;
  throw new SignalboxError(
    'not_found',
    `task ${task} in project ${project} has no attempt ${number}: ${has}`,
    {
      details: { project, task, attempt: number, attempts },
    },
  );
}

/**
 * Asks for the end of an open attempt: its processes are ended, by force after its agent's grace. The task is then
 * tried again while attempts are left.
 * @returns the attempt as it is then. @throws SignalboxError `not_found`, `illegal_transition`, `log_unavailable`
 */
export async function killAttempt(
  app: AppContext,
  project: ProjectId,
  task: TaskId,
  number: number,
  request: Attribution,
  actor: string,
): Promise<AttemptAnswer> {
  const { endedAt, state } = await findAttempt(app, project, task, number);
  if (endedAt !== null) {
    throw new SignalboxError(
      'illegal_transition',
      `attempt ${number} of task ${task} is over (${state}): there is nothing to stop`,
      {
        details: {
          entity: 'attempt',
          id: attemptKey({ project, task, attempt: number }),
          status: state,
          legal: [],
        },
      },
    );
  }
  app.log.assertWritable();
  await app.log.commit(
    { type: 'attempt.stop_requested', project, task, attempt: number, reason: 'operator' },
    { actor: deciderOf(request, actor) },
  );
  return attemptJson(await findAttempt(app, project, task, number));
}

/** Every open attempt with its living processes. */
export async function listProcesses(app: AppContext): Promise<AttemptProcesses[]> {
  return Promise.all(
    openAttempts(app).map(async (attempt) => {
      const tree = await app.supervision.supervisor.attempts.treeOf(attempt);
      const processes = tree?.map(({ pid, parentPid, state, command, cpuMs, ageMs }) => ({
        pid,
        parent_pid: parentPid,
        state,
        command,
        cpu_ms: cpuMs ?? null,
        age_ms: ageMs,
      }));
      return { ...openAttemptJson(attempt), processes: processes ?? null };
    }),
  );
}
