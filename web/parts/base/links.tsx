/** Addresses of the pages of a task, an attempt and an agent. */
import { path } from '../../api/http.ts';
import { keyOf } from '../../state/cards.ts';

export interface NamedTask {
  readonly project: string;
  readonly id: string;
}

export const taskHref = ({ project, id }: NamedTask): string => path`/ui/projects/${project}/tasks/${id}`;

export const attemptHref = ({ project, id }: NamedTask, attempt: number): string =>
  path`/ui/projects/${project}/tasks/${id}/attempts/${attempt}`;

export const agentHref = (id: string): string => path`/ui/agents/${id}`;

export function TaskName(task: NamedTask) {
  return <span class="mono dim task-name">{keyOf(task)}</span>;
}
