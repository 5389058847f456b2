/** Where an operation is asked for over NATS: under its own name, the one that it has in the OpenAPI document too. */
import { SYSTEM_PROJECT } from '../contracts/ids.ts';
import { commandSubject } from '../contracts/messages/subjects.ts';
import type { Operation } from '../operations/operation.ts';

export interface Command {
  /** With `*` for the project where the asker names it. */
  readonly subject: string;
  /** Whether the subject says which project is meant. */
  readonly isOfProject: boolean;
  /** What else the path of the operation names: in the payload, as `task`, `attempt`, `agent`. */
  readonly params: readonly string[];
}

export function commandOf({
  name,
  path,
  project = SYSTEM_PROJECT,
}: Pick<Operation<never, never, never>, 'name' | 'path' | 'project'>): Command {
  const named = [...path.matchAll(/:(\w+)/g)].map(([, param = '']) => param);
  const isOfProject = named.includes('project');
  return {
    subject: commandSubject(isOfProject ? '*' : project, name),
    isOfProject,
    params: named.filter((param) => param !== 'project'),
  };
}
