/** Tasks that failed or expired, to be redriven one by one or together. */
import { useSignal } from '@preact/signals';
import { path, post } from '../api/http.ts';
import type { AnswerOf, DeadLetter } from '../api/types.ts';
import { ActionButton } from '../parts/base/action-button.tsx';
import { Ago, Empty, StateBadge } from '../parts/base/basics.tsx';
import { counted } from '../parts/base/format.ts';
import { attemptHref, TaskName, taskHref } from '../parts/base/links.tsx';
import { notify } from '../parts/base/notices.tsx';
import { Page, type PageProps, Waiting } from '../parts/base/page.tsx';
import { PresentOnly } from '../parts/base/present-only.tsx';
import { Line } from '../parts/base/safe-text.tsx';
import { Messages } from '../parts/task/last-error.tsx';
import { board } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { project } from '../state/filter.ts';
import { useResource } from '../state/resource.ts';
import { mayNow } from '../state/rights.ts';
import { decider } from '../state/session.ts';

export function DeadLettersPage({ title }: PageProps) {
  const counts = board.value?.counts;
  const query = project.value === '' ? '' : path`&project=${project.value}`;
  const resource = useResource<AnswerOf<'listDeadLetters'>>(`/api/dead-letters?limit=200${query}`, {
    version: `${counts?.failed} ${counts?.expired}`,
  });
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const letters = resource.value?.dead_letters ?? [];
  const canRedrive = mayNow('operate');
  const toggle = (key: string): void => {
    const next = new Set(chosen.value);
    if (!next.delete(key)) next.add(key);
    chosen.value = next;
  };
  const choose = (keys: readonly string[]): void => {
    chosen.value = new Set(keys);
  };
  return (
    <Page
      title={title}
      actions={
        canRedrive &&
        letters.length > 0 && (
          <Actions letters={letters} chosen={chosen.value} choose={choose} onDone={resource.reload} />
        )
      }
    >
      <p class="dim">
        Tasks that failed with their last attempt, or expired. Redriving a task makes it pending again, with
        fresh attempts.
      </p>
      <PresentOnly />
      <Waiting resource={resource} what="the dead letters" />
      {resource.value && letters.length === 0 && <Empty title="No dead letters." />}
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
      {resource.value?.next != null && (
        <p class="dim">There are more. Redrive these first, or use "signalbox dlq redrive".</p>
      )}
    </Page>
  );
}

interface ActionsProps {
  readonly letters: readonly DeadLetter[];
  /** By the key of the task. */
  readonly chosen: ReadonlySet<string>;
  readonly choose: (keys: readonly string[]) => void;
  readonly onDone: () => void;
}

function Actions({ letters, chosen, choose, onDone }: ActionsProps) {
  const picked = letters.filter((letter) => chosen.has(keyOf(letter)));
  const areAll = picked.length === letters.length;
  const redrive = async (): Promise<void> => {
    try {
      notify(`Redriven: ${counted(await redriveAll(picked), 'task')}.`);
      choose([]);
    } finally {
      onDone();
    }
  };
  return (
    <div class="actions">
      <button type="button" class="quiet" onClick={() => choose(areAll ? [] : letters.map(keyOf))}>
        {areAll ? 'Select none' : 'Select all'}
      </button>
      <ActionButton class="strong" disabled={picked.length === 0} action={redrive}>
        Redrive {picked.length > 0 && counted(picked.length, 'task')}
      </ActionButton>
    </div>
  );
}

/** Sends one request for each project. @returns the number of redriven tasks */
async function redriveAll(letters: readonly DeadLetter[]): Promise<number> {
  let count = 0;
  for (const [name, ofProject] of Map.groupBy(letters, (letter) => letter.project)) {
    const ids = ofProject.map(({ id }) => id);
    const body = { ...decider(), project: name, ids };
    const { redriven, errors } = await post<AnswerOf<'redriveDeadLetters'>>(
      '/api/dead-letters/redrive',
      body,
    );
    count += redriven.length;
    for (const { id, detail } of errors) notify(`${keyOf({ project: name, id })}: ${detail}`, 'bad');
  }
  return count;
}

interface LetterProps {
  readonly letter: DeadLetter;
  readonly isChosen: boolean;
  /** null if the user may not redrive it. */
  readonly onToggle: (() => void) | null;
}

function Letter({ letter, isChosen, onToggle }: LetterProps) {
  const last = letter.attempts.at(-1);
  return (
    <li class="row" data-item>
      {onToggle && (
        <input type="checkbox" checked={isChosen} onChange={onToggle} aria-label={`Select ${letter.title}`} />
      )}
      <div class="row-main">
        <a href={taskHref(letter)} data-task={keyOf(letter)}>
          <Line text={letter.title} />
        </a>
        <span class="row-facts">
          <StateBadge state={letter.status} />
          <TaskName {...letter} />
          {last && (
            <a class="dim" href={attemptHref(letter, last.attempt)}>
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
        {last?.stderr_tail != null && (
          <details>
            <summary class="dim">Standard error of attempt {last.attempt}</summary>
            <Messages text={last.stderr_tail} />
          </details>
        )}
      </div>
    </li>
  );
}
