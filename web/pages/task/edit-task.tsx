/** Edits a task while it waits; its priority until it has ended. */
import { useLocation, useRoute } from 'preact-iso';
import { patch, path } from '../../api/http.ts';
import type { TaskAnswer } from '../../api/types.ts';
import { Empty, StateBadge } from '../../parts/base/basics.tsx';
import { taskHref } from '../../parts/base/links.tsx';
import { notify } from '../../parts/base/notices.tsx';
import { Page, type PageProps, Waiting } from '../../parts/base/page.tsx';
import { PresentOnly } from '../../parts/base/present-only.tsx';
import { type FormKind, TaskForm } from '../../parts/form/task-form.tsx';
import { keyOf } from '../../state/cards.ts';
import { useResource } from '../../state/resource.ts';
import { decider } from '../../state/session.ts';
import { draftOf, editOf, type TaskDraft } from '../../state/task-draft.ts';

export function EditTaskPage({ title }: PageProps) {
  const { route } = useLocation();
  const { project = '', task: id = '' } = useRoute().params;
  const url = path`/api/projects/${project}/tasks/${id}`;
  const resource = useResource<TaskAnswer>(url);
  const task = resource.value;
  const above = <a href={taskHref({ project, id })}>{keyOf({ project, id })}</a>;
  if (!task) {
    return (
      <Page title={title} above={above}>
        <Waiting resource={resource} what="the task" />
      </Page>
    );
  }
  const kind = editKindOf(task);
  const before = { ...draftOf(task, project), expires: task.expires_at ?? '' };
  const send = async (after: TaskDraft): Promise<void> => {
    const changes = editOf(before, after);
    if (Object.keys(changes).length > 0) {
      await patch(url, { ...changes, ...decider() });
      notify(`${keyOf(task)} is changed.`);
    }
    route(taskHref(task));
  };
  return (
    <Page title={title} above={above} actions={<StateBadge state={task.status} />}>
      <PresentOnly />
      {kind === 'priority' && (
        <p class="why">
          {task.open_attempt === null
            ? 'Its result waits for a review'
            : `Attempt ${task.open_attempt} works on it`}
          : only its priority can be changed.
        </p>
      )}
      {kind === null ? (
        <Empty title={`The task is ${task.status}: what has ended is not edited.`}>
          <p>Create a changed copy instead.</p>
        </Empty>
      ) : (
        <TaskForm kind={kind} initial={before} submit="Save" send={send} />
      )}
    </Page>
  );
}

const WAITING: ReadonlySet<string> = new Set(['scheduled', 'pending', 'blocked']);
const UNDER_WAY: ReadonlySet<string> = new Set(['claimed', 'working', 'review']);

/** null if nothing of it can be changed. */
function editKindOf({ status, open_attempt }: TaskAnswer): FormKind | null {
  if (WAITING.has(status)) return open_attempt === null ? 'edit' : 'priority';
  return UNDER_WAY.has(status) ? 'priority' : null;
}
