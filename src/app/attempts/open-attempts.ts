/** Attempts that are open, in short. */

import type { AttemptView } from '../../../projections/index.ts';
import type { OpenAttempt } from '../../contracts/api/answers.ts';
import { taskKey } from '../../contracts/ids.ts';
import type { Needs } from '../context.ts';
import { timeOf } from '../tasks/task-json.ts';

/** In the order in which they were claimed. */
export function openAttempts({
  state: { host, projections },
}: Needs<'state.host' | 'state.projections'>): AttemptView[] {
  return [...host.ids('attempt')].flatMap((key) => {
    const [project = '', task = '', number = ''] = key.split('/');
    return projections.attempts.byTask.get(taskKey({ project, task }))?.[Number(number) - 1] ?? [];
  });
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
