/**
 * Creates a task: from nothing, from a template of the configuration (`?template=id`), or as a copy of another one with
 * changes (`?copy=project/id`).
 */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { copiedFieldsOf } from '../../../src/contracts/copied-fields.ts';
import { filled } from '../../../src/contracts/template-text.ts';
import { path, post } from '../../api/http.ts';
import type { TaskAnswer, TemplateAnswer, TemplateList } from '../../api/types.ts';
import { Empty, Loading } from '../../parts/base/basics.tsx';
import { taskHref } from '../../parts/base/links.tsx';
import { notify } from '../../parts/base/notices.tsx';
import { Page, type PageProps, Waiting } from '../../parts/base/page.tsx';
import { PresentOnly } from '../../parts/base/present-only.tsx';
import { TaskForm } from '../../parts/form/task-form.tsx';
import { board } from '../../state/board.ts';
import { keyOf } from '../../state/cards.ts';
import { project as chosenProject } from '../../state/filter.ts';
import { NEW_TASK_PATH } from '../../state/keyboard.ts';
import { useResource } from '../../state/resource.ts';
import { draftOf, emptyDraft, requestLike, requestOf, type TaskDraft } from '../../state/task-draft.ts';

export function NewTaskPage({ title }: PageProps) {
  const { query } = useLocation();
  if (!board.value) return <Loading what="the agents" />;
  if (query.copy !== undefined) return <Copy key={query.copy} title={title} of={query.copy} />;
  return <FromNothing key={query.template ?? ''} title={title} template={query.template} />;
}

function Copy({ title, of }: PageProps & { readonly of: string }) {
  const [project = '', id = ''] = of.split('/');
  const source = useResource<TaskAnswer>(path`/api/projects/${project}/tasks/${id}`);
  const task = source.value;
  return (
    <Page title={title} above={task && <a href={taskHref(task)}>a copy of {of}</a>}>
      <PresentOnly />
      <Waiting resource={source} what="the task to copy" />
      {task && (
        <NewTask
          initial={draftOf(task, project)}
          requestOf={(draft) => requestLike(copiedFieldsOf(task), draft, `copy of ${task.id}`)}
        />
      )}
    </Page>
  );
}

function FromNothing({ title, template: id }: PageProps & { readonly template: string | undefined }) {
  const resource = useResource<TemplateList>('/api/templates');
  const values = useSignal<Values | null>(null);
  const templates = resource.value?.templates ?? [];
  const template = templates.find((each) => each.id === id);
  const inputs = template?.inputs.length === 0 ? {} : values.value;
  return (
    <Page title={title} above={id !== undefined && <a href={NEW_TASK_PATH}>from template {id}</a>}>
      <PresentOnly />
      {id === undefined && <TemplateLinks templates={templates} />}
      {id === undefined && <NewTask initial={emptyDraft(chosenProject.value)} requestOf={requestOf} />}
      {id !== undefined && <Waiting resource={resource} what="the templates" />}
      {id !== undefined && resource.value && !template && <Empty title={`There is no template ${id}.`} />}
      {template && inputs === null && (
        <Inputs
          template={template}
          onDone={(entered) => {
            values.value = entered;
          }}
        />
      )}
      {template && inputs !== null && <Filled template={template} values={inputs} />}
    </Page>
  );
}

type Values = Readonly<Record<string, string>>;

function TemplateLinks({ templates }: { readonly templates: readonly TemplateAnswer[] }) {
  if (templates.length === 0) return null;
  return (
    <nav class="actions templates" aria-label="Templates">
      <span class="dim">From a template:</span>
      {templates.map(({ id, about }) => (
        <a key={id} class="button" href={`${NEW_TASK_PATH}?template=${encodeURIComponent(id)}`} title={about}>
          {id}
        </a>
      ))}
    </nav>
  );
}

interface InputsProps {
  readonly template: TemplateAnswer;
  readonly onDone: (values: Values) => void;
}

function Inputs({ template: { about, inputs }, onDone }: InputsProps) {
  const values = useSignal<Values>(
    Object.fromEntries(inputs.map(({ name, default: value }) => [name, value ?? ''])),
  );
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form
      ref={form}
      class="form task-form"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(values.value);
      }}
    >
      {about !== '' && <p>{about}</p>}
      {inputs.map(({ name, about: meaning, default: value }) => (
        <label key={name}>
          {name} {meaning !== '' && <span class="dim">{meaning}</span>}
          <input
            required={value === null}
            value={values.value[name]}
            onInput={(event) => {
              values.value = { ...values.value, [name]: event.currentTarget.value };
            }}
          />
        </label>
      ))}
      <div class="actions end">
        <button type="submit" class="strong">
          Continue
        </button>
      </div>
    </form>
  );
}

function Filled({ template, values }: { readonly template: TemplateAnswer; readonly values: Values }) {
  const request = filled(template.task, values);
  return (
    <NewTask
      initial={draftOf(request, template.project ?? chosenProject.value)}
      requestOf={(draft) => requestLike(request, draft, `template ${template.id}`)}
    />
  );
}

interface NewTaskProps {
  readonly initial: TaskDraft;
  readonly requestOf: (draft: TaskDraft) => object;
}

function NewTask({ initial, requestOf: bodyOf }: NewTaskProps) {
  const { route } = useLocation();
  const send = async (draft: TaskDraft): Promise<void> => {
    const task = await post<TaskAnswer>(path`/api/projects/${draft.project}/tasks`, bodyOf(draft));
    notify(`${keyOf(task)} is created.`);
    route(taskHref(task));
  };
  return <TaskForm kind="new" initial={initial} submit="Create task" send={send} />;
}
