/** Tasks that were given up: why, and back with them. */
import { useSignal } from '@preact/signals';
import { ApiError, path, post } from '../api/http.ts';
import type { DeadLetter, DeadLetterPage, RedriveAnswer } from '../api/types.ts';
import { Ago, Empty, Loading, StateBadge, Trouble } from '../parts/base/basics.tsx';
import { counted } from '../parts/base/format.ts';
import { attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { notify } from '../parts/base/notices.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { board } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { project } from '../state/filter.ts';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';

export function DeadLettersPage() {
  const counts = board.value?.counts;
  const version = `${counts?.failed} ${counts?.expired}`;
  const query = project.value === '' ? '' : path`&project=${project.value}`;
  const { value, error, reload } = useResource<DeadLetterPage>(`/api/dead-letters?limit=200${query}`, {
    version,
  });
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const isSending = useSignal(false);
  const letters = value?.dead_letters ?? [];
  const canRedrive = mayNow('operate');
  const picked = letters.filter((letter) => chosen.value.has(keyOf(letter)));

  const redrive = async (): Promise<void> => {
    isSending.value = true;
    try {
      const count = await redriveAll(picked);
      notify(`${counted(count, 'task')} put back to pending.`);
      chosen.value = new Set();
    } catch (failure) {
      notify(failure instanceof ApiError ? failure.message : String(failure), 'bad');
    } finally {
      isSending.value = false;
      reload();
    }
  };
  const toggle = (key: string): void => {
    const next = new Set(chosen.value);
    if (!next.delete(key)) next.add(key);
    chosen.value = next;
  };

  return (
    <div class="page">
      <header class="page-head">
        <h1>Dead letters</h1>
        {canRedrive && letters.length > 0 && (
          <div class="actions">
            <button
              type="button"
              class="quiet"
              onClick={() => {
                chosen.value = picked.length === letters.length ? new Set() : new Set(letters.map(keyOf));
              }}
            >
              {picked.length === letters.length ? 'Choose none' : 'Choose all'}
            </button>
            <button
              type="button"
              class="strong"
              disabled={picked.length === 0 || isSending.value}
              onClick={() => void redrive()}
            >
              Redrive {picked.length > 0 && counted(picked.length, 'task')}
            </button>
          </div>
        )}
      </header>
      <p class="dim">
        Tasks that have used up their attempts, or expired. A redriven task is pending again, with fresh
        attempts.
      </p>
      <PresentOnly what="What was given up is shown" />
      {error && <Trouble error={error} retry={reload} />}
      {!value && !error && <Loading what="the dead letters" />}
      {value && letters.length === 0 && <Empty title="There are none." />}
      <ul class="rows" data-group>
        {letters.map((letter) => (
          <Letter
            key={keyOf(letter)}
            letter={letter}
            isChosen={chosen.value.has(keyOf(letter))}
            onToggle={canRedrive ? () => toggle(keyOf(letter)) : null}
          />
        ))}
      </ul>
      {value?.next != null && (
        <p class="dim">There are more: redrive these first, or use "signalbox dlq redrive".</p>
      )}
    </div>
  );
}

/** Ids are named within a project: one request for each. @returns how many were redriven */
async function redriveAll(letters: readonly DeadLetter[]): Promise<number> {
  let count = 0;
  for (const [name, ids] of Map.groupBy(letters, (letter) => letter.project)) {
    const { redriven, errors } = await post<RedriveAnswer>('/api/dead-letters/redrive', {
      ...decider(),
      project: name,
      ids: ids.map(({ id }) => id),
    });
    count += redriven.length;
    for (const { id, detail } of errors) notify(`${name}/${id}: ${detail}`, 'bad');
  }
  return count;
}

interface LetterProps {
  readonly letter: DeadLetter;
  readonly isChosen: boolean;
  /** null where whoever looks may not redrive it. */
  readonly onToggle: (() => void) | null;
}

function Letter({ letter, isChosen, onToggle }: LetterProps) {
  const last = letter.attempts.at(-1);
  return (
    <li class="row" data-item>
      {onToggle && (
        <input type="checkbox" checked={isChosen} onChange={onToggle} aria-label={`Choose ${letter.title}`} />
      )}
      <div class="row-main">
        <a href={taskHref(letter)} data-task={keyOf(letter)}>
          <Line text={letter.title} />
        </a>
        <span class="row-facts">
          <StateBadge state={letter.status} />
          <TaskName {...letter} />
          {last && (
            <a class="dim" href={attemptHref(letter.project, letter.id, last.attempt)}>
              {counted(letter.attempts.length, 'attempt')}
            </a>
          )}
          <span class="dim">
            <Ago time={letter.finished_at} />
          </span>
        </span>
        {letter.last_error !== null && (
          <span class="row-note">
            <Line text={letter.last_error} />
          </span>
        )}
      </div>
    </li>
  );
}
