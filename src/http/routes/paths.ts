/** The paths of tasks, for routes and for answers that name one. */
import type { TaskView } from '../../../projections/index.ts';

export const PROJECT_TASKS = '/api/projects/:project/tasks';
export const TASK = `${PROJECT_TASKS}/:task`;

export function taskPath({ project, id }: TaskView): string {
  return `/api/projects/${project}/tasks/${id}`;
}
