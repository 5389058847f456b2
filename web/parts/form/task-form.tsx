/** The form of a task: for a new one, for the edit of one that waits, and for its priority alone. */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { reasonOf } from '../../api/http.ts';
import { strandedBy } from '../../state/attention.ts';
import { board, projects } from '../../state/board.ts';
import type { TaskDraft } from '../../state/task-draft.ts';

type Change = <Name extends keyof TaskDraft>(name: Name, value: TaskDraft[Name]) => void;

/** What the form is for: an edit has the fields that can be changed, and while an attempt works only the priority. */
export type FormKind = 'new' | 'edit' | 'priority';

interface PartProps {
  readonly draft: TaskDraft;
  readonly change: Change;
  readonly kind: FormKind;
}

export interface TaskFormProps {
  readonly initial: TaskDraft;
  readonly kind: FormKind;
  readonly submit: string;
  /** An error is shown in the form, which stays as it is. */
  readonly send: (draft: TaskDraft) => Promise<void>;
}

export function TaskForm({ initial, kind, submit, send }: TaskFormProps) {
  const draft = useSignal(initial);
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const part: PartProps = {
    draft: draft.value,
    kind,
    change: (name, value) => {
      draft.value = { ...draft.value, [name]: value };
    },
  };
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    isSending.value = true;
    trouble.value = null;
    try {
      await send(draft.value);
    } catch (error) {
      trouble.value = reasonOf(error);
    } finally {
      isSending.value = false;
    }
  };
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form ref={form} class="form task-form" onSubmit={onSubmit}>
      {kind === 'priority' ? (
        <PriorityField draft={part.draft} change={part.change} />
      ) : (
        <>
          <What {...part} />
          <Who {...part} />
          <details open={kind === 'edit'}>
            <summary>More: {kind === 'new' && 'dependencies, '}times, parameters, labels</summary>
            <More {...part} />
          </details>
        </>
      )}
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="actions end">
        <button type="submit" class="strong" disabled={isSending.value}>
          {submit}
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

function Who({ draft, change, kind }: PartProps) {
  const agents = board.value?.agents ?? [];
  return (
    <div class="form-row">
      <Taker draft={draft} change={change} />
      {kind === 'new' && (
        <Text label="Project" name="project" draft={draft} change={change} list={projects.value} isNeeded />
      )}
      <PriorityField draft={draft} change={change} />
      <label>
        Review
        <select value={draft.review} onChange={(event) => change('review', event.currentTarget.value)}>
          {kind === 'new' && <option value="">as the agent says</option>}
          <option value="manual">by a user</option>
          <option value="auto">none</option>
          {agents.map(({ id }) => (
            <option key={id} value={id}>
              by {id}
            </option>
          ))}
        </select>
      </label>
      <Stranded taker={draft.taker} />
    </div>
  );
}

function Taker({ draft, change }: Omit<PartProps, 'kind'>) {
  const agents = board.value?.agents ?? [];
  const types = [...new Set(agents.flatMap(({ capabilities }) => capabilities))].sort();
  // A task may wait for an agent or a capability that is not configured any more.
  const isKnown =
    agents.some(({ id }) => draft.taker === `agent:${id}`) ||
    types.some((type) => draft.taker === `type:${type}`);
  return (
    <label>
      For
      <select required value={draft.taker} onChange={(event) => change('taker', event.currentTarget.value)}>
        <option value="">choose…</option>
        {!isKnown && draft.taker !== '' && (
          <option value={draft.taker}>{agentOf(draft.taker) ?? typeOf(draft.taker)}</option>
        )}
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
  );
}

function PriorityField({ draft, change }: Omit<PartProps, 'kind'>) {
  return (
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
  );
}

function Stranded({ taker }: { readonly taker: string }) {
  if (taker === '') return null;
  const why = strandedBy({ agent: agentOf(taker), type: typeOf(taker) }, board.value?.agents ?? []);
  return why === null ? null : <p class="warn-text">{why} It will wait.</p>;
}

const agentOf = (taker: string): string | null => (taker.startsWith('agent:') ? taker.slice(6) : null);
const typeOf = (taker: string): string | null => (taker.startsWith('type:') ? taker.slice(5) : null);

function More({ draft, change, kind }: PartProps) {
  const part = { draft, change };
  return (
    <div class="form">
      {kind === 'new' && (
        <>
          <div class="form-row">
            <Text label="Id (generated if empty)" name="id" {...part} />
            <Text label="Attempts, at most" name="maxAttempts" {...part} />
            <Text label="Not before (in, such as 30m, 2h)" name="delay" {...part} />
          </div>
          <div class="form-row">
            <Text label="Depends on (ids, with spaces between)" name="dependsOn" {...part} />
            <Text label="Parent (id)" name="parent" {...part} />
          </div>
        </>
      )}
      <div class="form-row">
        <Text label="Time limit of an attempt, such as 90s, 10m" name="timeout" {...part} />
        <Text label="Expires (in 2h, 1d; or at 2030-01-31T12:00Z)" name="expires" {...part} />
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

interface TextProps extends Omit<PartProps, 'kind'> {
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
