/** Whose token an attempt token is. */
import { ID_PATTERN, taskKey } from '../../contracts/ids.ts';
import { openAttempts } from '../attempts/open-attempts.ts';
import type { AppContext } from '../context.ts';

export interface Speaker {
  readonly project: string;
  readonly task: string;
  readonly attempt: number;
  readonly agent: string;
}

/** Looks among all attempts of the task that is named, and all that are open; null for a token of none of them. */
export function speakerOf(
  app: AppContext,
  token: string,
  address: { readonly project?: string | undefined; readonly task?: string },
): Speaker | null {
  const { projections } = app.state;
  const { tokens } = app.supervision;
  const { project = '', task = '' } = address;
  if (ID_PATTERN.test(project) && ID_PATTERN.test(task)) {
    const history = projections.attempts.byTask.get(taskKey({ project, task })) ?? [];
    const attempt = tokens.attemptOf(token, { project, task }, history.length);
    if (attempt !== null) return { project, task, attempt, agent: history[attempt - 1]?.agent ?? '' };
  }
  for (const open of openAttempts(app)) {
    const { project, task, attempt, agent } = open;
    if (tokens.isOf(token, open)) return { project, task, attempt, agent };
  }
  return null;
}
