/** Tasks that belong to a task, with titles and states: its parent, what it depends on, and its children as a tree. */
import { path } from '../../api/http.ts';
import type { AnswerOf } from '../../api/types.ts';
import { board } from '../../state/board.ts';
import { keyOf, shownStatus } from '../../state/cards.ts';
import { past } from '../../state/past.ts';
import { useResource } from '../../state/resource.ts';
import type { WholeTask } from '../../state/whole-task.ts';
import { StateBadge } from '../base/basics.tsx';
import { type NamedTask, taskHref } from '../base/links.tsx';
import { Line } from '../base/safe-text.tsx';

interface NamedTaskProps extends NamedTask {
  /** Whether this is the task of the page. */
  readonly isCurrent?: boolean;
}

/** A link with the title and state of a task, as the board knows them; with its id only if the board has no card of it. */
export function TaskLink({ project, id, isCurrent = false }: NamedTaskProps) {
  const card = board.value?.cards.get(keyOf({ project, id }));
  return (
    <span class="task-link">
      {card && <StateBadge state={shownStatus(card)} />}
      <a href={taskHref({ project, id })} aria-current={isCurrent ? 'true' : undefined}>
        {card ? <Line text={card.title} /> : id}
      </a>
      {card && <span class="mono dim">{id}</span>}
    </span>
  );
}

/** Levels below the first task. */
const MAX_DEPTH = 5;
/** Of one task: with more children, theirs are not loaded. */
const MAX_LOADED = 20;
const MAX_CHILDREN = 200;

/** The tree that a task is in, from its parent on; nothing for a task without relatives. */
export function FamilyTree({ task }: { readonly task: WholeTask }) {
  const root = task.parent ?? task.id;
  return (
    <ul class="tree">
      <TreeNode project={task.project} id={root} current={task.id} depth={0} isLoaded />
    </ul>
  );
}

interface TreeNodeProps extends NamedTask {
  readonly current: string;
  readonly depth: number;
  /** Whether its children are loaded. */
  readonly isLoaded: boolean;
}

function TreeNode({ project, id, current, depth, isLoaded }: TreeNodeProps) {
  const url = path`/api/projects/${project}/tasks?parent=${id}&limit=${MAX_CHILDREN}`;
  const card = board.value?.cards.get(keyOf({ project, id }));
  const children = useResource<AnswerOf<'listTasks'>>(isLoaded ? url : null, { version: card?.sequence });
  const isThere = (child: NamedTask): boolean =>
    past.value === null || past.value.board.cards.has(keyOf(child));
  const shown = (children.value?.tasks ?? []).filter((child) => child.reviews === null && isThere(child));
  return (
    <li>
      <TaskLink project={project} id={id} isCurrent={id === current} />
      {shown.length > 0 && (
        <ul>
          {shown.map((child) => (
            <TreeNode
              key={child.id}
              project={project}
              id={child.id}
              current={current}
              depth={depth + 1}
              isLoaded={depth + 1 < MAX_DEPTH && shown.length <= MAX_LOADED}
            />
          ))}
        </ul>
      )}
      {children.value?.next != null && <p class="dim">There are more than {MAX_CHILDREN} children.</p>}
    </li>
  );
}

/** Whether a task has a parent or children. */
export function hasFamily({ parent, children }: WholeTask): boolean {
  return parent !== null || children !== undefined;
}
