/** Creates a task: from nothing, or as a copy of another one with changes (`?copy=project/id`). */
import { useLocation } from 'preact-iso';
import { path, post } from '../../api/http.ts';
import type { TaskAnswer } from '../../api/types.ts';
import { Loading } from '../../parts/base/basics.tsx';
import { taskHref } from '../../parts/base/links.tsx';
import { notify } from '../../parts/base/notices.tsx';
import { Page, type PageProps, Waiting } from '../../parts/base/page.tsx';
import { PresentOnly } from '../../parts/base/present-only.tsx';
import { TaskForm } from '../../parts/form/task-form.tsx';
import { board } from '../../state/board.ts';
import { keyOf } from '../../state/cards.ts';
import { project as chosenProject } from '../../state/filter.ts';
import { useResource } from '../../state/resource.ts';
import { draftOf, emptyDraft, requestOf } from '../../state/task-draft.ts';

export function NewTaskPage({ title }: PageProps) {
  const { query, route } = useLocation();
  const [project = '', id = ''] = (query.copy ?? '').split('/');
  const source = useResource<TaskAnswer>(id === '' ? null : path`/api/projects/${project}/tasks/${id}`);
  if (!board.value) return <Loading what="the agents" />;
  if (id !== '' && !source.value) {
    return (
      <Page title={title}>
        <Waiting resource={source} what="the task to copy" />
      </Page>
    );
  }
  const draft = source.value ? draftOf(source.value) : emptyDraft(chosenProject.value);
  return (
    <Page
      title={title}
      above={source.value && <a href={taskHref(source.value)}>a copy of {keyOf(source.value)}</a>}
    >
      <PresentOnly />
      <TaskForm
        key={query.copy ?? ''}
        kind="new"
        initial={draft}
        submit="Create task"
        send={async (entered) => {
          const { project: into } = entered;
          const task = await post<TaskAnswer>(path`/api/projects/${into}/tasks`, requestOf(entered));
          notify(`${keyOf(task)} is created.`);
          route(taskHref(task));
        }}
      />
    </Page>
  );
}
