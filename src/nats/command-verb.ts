/**
 * The name of an operation as a NATS command, made from its method and path: `POST /api/projects/:project/tasks/:task/approve`
 * is `task_approve`, `GET /api/agents` is `agent_list`. One rule for all, so that a new operation has its name by itself.
 */
import type { Operation } from '../http/operation.ts';

export interface Command {
  /** As in `task_create`. */
  readonly verb: string;
  /** Whether it is about one project, which then stands in the subject. */
  readonly isOfProject: boolean;
  /** What else the path names, in the payload: `task`, `attempt`, `agent`. */
  readonly params: readonly string[];
}

/** null for what only makes sense over HTTP. */
export function commandOf({
  method,
  path,
}: Pick<Operation<never, never, never>, 'method' | 'path'>): Command | null {
  const [root = '', ...rest] = path.split('/').filter((part) => part !== '');
  if (root !== 'api') return rest.length === 0 && method === 'GET' ? command(root, false, []) : null;
  const isOfProject = rest[0] === 'projects';
  const parts = isOfProject ? rest.slice(2) : rest;
  const names = parts.filter((part) => !part.startsWith(':'));
  const params = parts.filter((part) => part.startsWith(':')).map((part) => part.slice(1));
  const last = names.at(-1) ?? '';
  const noun = singular(names.at(-2) ?? '');
  if (parts.at(-1)?.startsWith(':')) {
    return command(
      `${singular(last)}_${method === 'GET' ? 'get' : method.toLowerCase()}`,
      isOfProject,
      params,
    );
  }
  const isCollection = singular(last) !== last;
  if (method === 'GET') {
    if (isCollection) return command(`${singular(last)}_list`, isOfProject, params);
    return command(noun === '' ? last : `${noun}_${last}`, isOfProject, params);
  }
  if (noun === '') return command(isCollection ? `${singular(last)}_create` : last, isOfProject, params);
  return command(`${noun}_${singular(last)}`, isOfProject, params);
}

function command(name: string, isOfProject: boolean, params: readonly string[]): Command {
  return { verb: name.replaceAll('-', '_'), isOfProject, params };
}

/** Good for the plural nouns of paths; what is none stays as it is. */
function singular(word: string): string {
  if (word === 'status') return word;
  if (/(ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}
