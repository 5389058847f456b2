/** Paths, for routes and for answers that name one. */
import type { TaskView } from '../../../projections/index.ts';

export const PROJECT_TASKS = '/api/projects/:project/tasks';
export const TASK = `${PROJECT_TASKS}/:task`;
export const ATTEMPT = `${TASK}/attempts/:attempt`;
export const AGENTS = '/api/agents';
export const AGENT = `${AGENTS}/:agent`;
export const QUEUES = '/api/queues';
export const QUEUE = `${QUEUES}/:kind/:name`;
export const AUDIT_KEYS = '/api/audit/keys';
export const DEAD_LETTERS = '/api/dead-letters';
export const REJECTED_MESSAGES = '/api/rejected-messages';

export function taskPath({ project, id }: TaskView): string {
  return `/api/projects/${project}/tasks/${id}`;
}
