/** Decisions about several tasks: one request for each, with one comment for all. */
import { useSignal } from '@preact/signals';
import { path, post, reasonOf } from '../../api/http.ts';
import type { TaskAnswer } from '../../api/types.ts';
import { keyOf } from '../../state/cards.ts';
import type { Choice } from '../../state/chosen.ts';
import { mayNow } from '../../state/rights.ts';
import { decider } from '../../state/session.ts';
import { counted } from '../base/format.ts';
import { notify } from '../base/notices.tsx';
import { type DecisionBody, Question } from './question.tsx';
import { TASK_DECISIONS, type TaskDecision } from './task-actions.tsx';

type Decided = Pick<TaskAnswer, 'project' | 'id' | 'title' | 'status'>;

export interface BulkActionsProps {
  readonly choice: Choice<Decided>;
  readonly verbs: readonly TaskDecision['verb'][];
  /** How many tasks could be chosen. */
  readonly total: number;
  readonly onDone?: () => void;
}

/** Requests that are under way at a time. */
const AT_ONCE = 6;

/** "Select all", and a button for each decision that is possible for some of the chosen tasks. */
export function BulkActions({ choice, verbs, total, onDone }: BulkActionsProps) {
  const asked = useSignal<TaskDecision | null>(null);
  const isSending = useSignal(false);
  if (!mayNow('operate') || total < 2) return null;
  const decide = async (decision: TaskDecision, body: DecisionBody): Promise<void> => {
    asked.value = null;
    isSending.value = true;
    const tasks = possible(decision, choice.items);
    const failures = await sendAll(decision, tasks, body);
    isSending.value = false;
    choice.clear();
    for (const failure of failures.slice(0, 3)) notify(failure, 'bad');
    notify(`${counted(tasks.length - failures.length, 'task')} ${decision.done}.`);
    onDone?.();
  };
  const decision = asked.value;
  return (
    <div class="actions">
      <button type="button" class="quiet" aria-keyshortcuts="*" onClick={choice.toggleAll}>
        {choice.items.length === total ? 'Select none' : `Select all ${total}`}
      </button>
      {TASK_DECISIONS.filter(({ verb }) => verbs.includes(verb)).map((each) => {
        const count = possible(each, choice.items).length;
        if (count === 0) return null;
        return (
          <button
            key={each.verb}
            type="button"
            data-tone={each.tone}
            title={each.hint}
            disabled={isSending.value}
            onClick={() => {
              if (each.isImmediate) void decide(each, decider());
              else asked.value = each;
            }}
          >
            {each.label} {counted(count, 'task')}
          </button>
        );
      })}
      {decision && (
        <Question
          title={`${decision.label}: ${counted(possible(decision, choice.items).length, 'task')}`}
          decision={decision}
          send={(body) => decide(decision, body)}
          onClose={() => {
            asked.value = null;
          }}
        />
      )}
    </div>
  );
}

function possible({ from }: TaskDecision, tasks: readonly Decided[]): readonly Decided[] {
  return tasks.filter(({ status }) => from.includes(status));
}

/** @returns what was refused, as text */
async function sendAll(
  { verb, field }: TaskDecision,
  tasks: readonly Decided[],
  { comment, ...sender }: DecisionBody,
): Promise<string[]> {
  const failures: string[] = [];
  const left = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      try {
        const body = { ...sender, ...(comment !== undefined && { [field ?? 'comment']: comment }) };
        await post(path`/api/projects/${task.project}/tasks/${task.id}/${verb}`, body);
      } catch (error) {
        failures.push(`${keyOf(task)}: ${reasonOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failures;
}
