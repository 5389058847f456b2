/** The subject of an operation over NATS, and the path parameters that its payload takes. */
import { SYSTEM_PROJECT } from '../contracts/ids.ts';
import { commandSubject } from '../contracts/messages/subjects.ts';
import { type Operation, paramNames } from '../operations/operation.ts';

export interface Command {
  /** With `*` for the project if the caller names it. */
  readonly subject: string;
  /** Whether the subject says which project is meant. */
  readonly isOfProject: boolean;
  /** The other path parameters: fields of the payload, such as `task`, `attempt`, `agent`. */
  readonly params: readonly string[];
}

export function commandOf({
  name,
  http,
  project = SYSTEM_PROJECT,
}: Pick<Operation, 'name' | 'http' | 'project'>): Command {
  const named = paramNames(http.path);
  const isOfProject = named.includes('project');
  return {
    subject: commandSubject(isOfProject ? '*' : project, name),
    isOfProject,
    params: named.filter((param) => param !== 'project'),
  };
}
