/** What people decide about a task, by name. */
import type { AppContext } from '../../../src/app/context.ts';
import {
  approveTask,
  blockTask,
  cancelTask,
  rejectTask,
  retryTask,
  unblockTask,
} from '../../../src/app/tasks/decide-task.ts';
import { projectId, taskId } from '../../../src/contracts/ids.ts';

const USE_CASES = {
  approve: approveTask,
  reject: rejectTask,
  cancel: cancelTask,
  block: blockTask,
  unblock: unblockTask,
  retry: retryTask,
} as const;

export type TaskDecision = keyof typeof USE_CASES;
export const TASK_DECISIONS = Object.keys(USE_CASES) as readonly TaskDecision[];

export function decideTask(
  app: AppContext,
  decision: TaskDecision,
  { project, id }: { readonly project: string; readonly id: string },
  comment: string,
): Promise<unknown> {
  return USE_CASES[decision](app, projectId(project), taskId(id), { comment }, 'user:somebody');
}
