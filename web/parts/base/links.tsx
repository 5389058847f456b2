/** Where things are in the page. */
import { path } from '../../api/http.ts';

export const taskHref = ({ project, id }: { readonly project: string; readonly id: string }): string =>
  path`/ui/projects/${project}/tasks/${id}`;

export const attemptHref = (project: string, task: string, attempt: number): string =>
  path`/ui/projects/${project}/tasks/${task}/attempts/${attempt}`;

export const agentHref = (id: string): string => path`/ui/agents/${id}`;

export function TaskName({ project, id }: { readonly project: string; readonly id: string }) {
  return (
    <span class="mono dim task-name">
      {project}/{id}
    </span>
  );
}
