/** Creates a task: from nothing, or as a copy of another one with changes (`?copy=project/id`). */
import { useSignal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { path, post, reasonOf } from '../api/http.ts';
import type { TaskAnswer } from '../api/types.ts';
import { Loading } from '../parts/base/basics.tsx';
import { taskHref } from '../parts/base/links.tsx';
import { notify } from '../parts/base/notices.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { strandedBy } from '../state/attention.ts';
import { board, projects } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { project as chosenProject } from '../state/filter.ts';
import { useResource } from '../state/resource.ts';
import { draftOf, emptyDraft, requestOf, type TaskDraft } from '../state/task-draft.ts';

export function NewTaskPage({ title }: PageProps) {
  const { query } = useLocation();
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
      <TaskForm key={query.copy ?? ''} initial={draft} />
    </Page>
  );
}

type Change = <Name extends keyof TaskDraft>(name: Name, value: TaskDraft[Name]) => void;

interface PartProps {
  readonly draft: TaskDraft;
  readonly change: Change;
}

function TaskForm({ initial }: { readonly initial: TaskDraft }) {
  const { route } = useLocation();
  const draft = useSignal(initial);
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const change: Change = (name, value) => {
    draft.value = { ...draft.value, [name]: value };
  };
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    isSending.value = true;
    trouble.value = null;
    try {
      const { project } = draft.value;
      const task = await post<TaskAnswer>(path`/api/projects/${project}/tasks`, requestOf(draft.value));
      notify(`${keyOf(task)} is created.`);
      route(taskHref(task));
    } catch (error) {
      trouble.value = reasonOf(error);
    } finally {
      isSending.value = false;
    }
  };
  useLayoutEffect(() => document.querySelector<HTMLInputElement>('[data-first]')?.focus(), []);
  return (
    <form class="form new-task" onSubmit={send}>
      <What draft={draft.value} change={change} />
      <Who draft={draft.value} change={change} />
      <details>
        <summary>More: dependencies, times, parameters, labels</summary>
        <More draft={draft.value} change={change} />
      </details>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="actions end">
        <button type="submit" class="strong" disabled={isSending.value}>
          Create task
        </button>
      </div>
    </form>
  );
}

function What({ draft, change }: PartProps) {
  return (
    <>
      <label>
        Title
        <input
          data-first
          required
          maxLength={500}
          value={draft.title}
          onInput={(event) => change('title', event.currentTarget.value)}
        />
      </label>
      <label>
        Description (Markdown)
        <textarea
          rows={8}
          value={draft.description}
          onInput={(event) => change('description', event.currentTarget.value)}
        />
      </label>
    </>
  );
}

function Who({ draft, change }: PartProps) {
  const agents = board.value?.agents ?? [];
  const types = [...new Set(agents.flatMap(({ capabilities }) => capabilities))].sort();
  const stranded =
    draft.taker === ''
      ? null
      : strandedBy({ agent: agentOf(draft.taker), type: typeOf(draft.taker) }, agents);
  return (
    <div class="form-row">
      <label>
        For
        <select required value={draft.taker} onChange={(event) => change('taker', event.currentTarget.value)}>
          <option value="">choose…</option>
          <optgroup label="One agent">
            {agents.map(({ id }) => (
              <option key={id} value={`agent:${id}`}>
                {id}
              </option>
            ))}
          </optgroup>
          <optgroup label="Any agent with the capability">
            {types.map((type) => (
              <option key={type} value={`type:${type}`}>
                {type}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <Text label="Project" name="project" draft={draft} change={change} list={projects.value} isNeeded />
      <label>
        Priority (10 first)
        <input
          type="number"
          min={1}
          max={10}
          value={draft.priority}
          onInput={(event) => change('priority', event.currentTarget.value)}
        />
      </label>
      <label>
        Review
        <select value={draft.review} onChange={(event) => change('review', event.currentTarget.value)}>
          <option value="">as the agent says</option>
          <option value="manual">by a user</option>
          <option value="auto">none</option>
          {agents.map(({ id }) => (
            <option key={id} value={id}>
              by {id}
            </option>
          ))}
        </select>
      </label>
      {stranded !== null && <p class="warn-text">{stranded} It will wait.</p>}
    </div>
  );
}

const agentOf = (taker: string): string | null => (taker.startsWith('agent:') ? taker.slice(6) : null);
const typeOf = (taker: string): string | null => (taker.startsWith('type:') ? taker.slice(5) : null);

function More({ draft, change }: PartProps) {
  const part = { draft, change };
  return (
    <div class="form">
      <div class="form-row">
        <Text label="Id (generated if empty)" name="id" {...part} />
        <Text label="Attempts, at most" name="maxAttempts" {...part} />
        <Text label="Time limit of an attempt, such as 90s, 10m" name="timeout" {...part} />
      </div>
      <div class="form-row">
        <Text label="Depends on (ids, with spaces between)" name="dependsOn" {...part} />
        <Text label="Parent (id)" name="parent" {...part} />
      </div>
      <div class="form-row">
        <Text label="Not before (in, such as 30m, 2h)" name="delay" {...part} />
        <Text label="Expires (in, such as 2h, 1d)" name="expires" {...part} />
        <Text label="Action" name="action" {...part} />
      </div>
      <label>
        Parameters (JSON)
        <textarea
          rows={3}
          class="mono"
          value={draft.params}
          onInput={(event) => change('params', event.currentTarget.value)}
        />
      </label>
      <label>
        Labels (one name=value per line)
        <textarea
          rows={2}
          value={draft.labels}
          onInput={(event) => change('labels', event.currentTarget.value)}
        />
      </label>
      <label>
        The result must have (one per line)
        <textarea
          rows={2}
          value={draft.mustHaves}
          onInput={(event) => change('mustHaves', event.currentTarget.value)}
        />
      </label>
    </div>
  );
}

interface TextProps extends PartProps {
  readonly label: string;
  readonly name: keyof TaskDraft;
  readonly list?: readonly string[];
  readonly isNeeded?: boolean;
}

function Text({ label, name, draft, change, list, isNeeded = false }: TextProps) {
  return (
    <label>
      {label}
      <input
        value={draft[name]}
        required={isNeeded}
        list={list && `list-${name}`}
        onInput={(event) => change(name, event.currentTarget.value)}
      />
      {list && (
        <datalist id={`list-${name}`}>
          {list.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
    </label>
  );
}
