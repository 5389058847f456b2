/** What a person can decide about a task, and the question before it is done. */
import { useSignal } from '@preact/signals';
import type { TaskAnswer } from '../../src/contracts/answers.ts';
import { ApiError, path, post } from '../api/http.ts';
import { mayNow } from '../state/rights.ts';
import { decider, session } from '../state/session.ts';
import { Dialog } from './dialog.tsx';
import { notify } from './notices.tsx';

type Named = Pick<TaskAnswer, 'project' | 'id' | 'title' | 'state'>;

interface Decision {
  readonly verb: 'approve' | 'reject' | 'cancel' | 'retry' | 'block' | 'unblock';
  readonly label: string;
  readonly done: string;
  readonly from: readonly TaskAnswer['state'][];
  readonly tone?: 'good' | 'bad';
  /** Whether it has to be said why. */
  readonly comment: 'needed' | 'possible';
  readonly hint: string;
}

const DECISIONS: readonly Decision[] = [
  {
    verb: 'approve',
    label: 'Approve',
    done: 'approved',
    from: ['review'],
    tone: 'good',
    comment: 'possible',
    hint: 'The task is done, and what follows it begins.',
  },
  {
    verb: 'reject',
    label: 'Reject',
    done: 'sent back',
    from: ['review'],
    tone: 'bad',
    comment: 'needed',
    hint: 'The agent tries again, with what you say here.',
  },
  {
    verb: 'unblock',
    label: 'Unblock',
    done: 'unblocked',
    from: ['blocked'],
    tone: 'good',
    comment: 'possible',
    hint: 'The task goes on; the agent reads what you say here.',
  },
  {
    verb: 'retry',
    label: 'Retry',
    done: 'put back to pending',
    from: ['failed', 'expired'],
    comment: 'possible',
    hint: 'The task is pending again, with fresh attempts.',
  },
  {
    verb: 'block',
    label: 'Block',
    done: 'blocked',
    from: ['scheduled', 'pending', 'working'],
    comment: 'possible',
    hint: 'An attempt that is under way is stopped; nothing happens until it is unblocked.',
  },
  {
    verb: 'cancel',
    label: 'Cancel task',
    done: 'cancelled',
    from: ['scheduled', 'pending', 'claimed', 'working', 'review', 'blocked'],
    tone: 'bad',
    comment: 'possible',
    hint: 'An attempt that is under way is stopped. This cannot be undone.',
  },
];

export interface DecideProps {
  readonly task: Named;
  /** Only these; all that are possible where it is absent. */
  readonly only?: readonly Decision['verb'][];
  readonly onDone?: () => void;
}

export function Decide({ task, only, onDone }: DecideProps) {
  const asked = useSignal<Decision | null>(null);
  // An observer, and whoever looks at the past, decides nothing.
  if (!mayNow('operate')) return null;
  const possible = DECISIONS.filter(
    ({ verb, from }) => from.includes(task.state) && (only === undefined || only.includes(verb)),
  );
  return (
    <div class="actions">
      {possible.map((decision) => (
        <button
          type="button"
          key={decision.verb}
          data-tone={decision.tone}
          aria-label={`${decision.label}: ${task.title}`}
          onClick={() => {
            asked.value = decision;
          }}
        >
          {decision.label}
        </button>
      ))}
      {asked.value && (
        <Question
          task={task}
          decision={asked.value}
          onClose={() => {
            asked.value = null;
          }}
          onDone={onDone}
        />
      )}
    </div>
  );
}

interface QuestionProps {
  readonly task: Named;
  readonly decision: Decision;
  readonly onClose: () => void;
  readonly onDone: (() => void) | undefined;
}

function Question({ task, decision, onClose, onDone }: QuestionProps) {
  const comment = useSignal('');
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const { verb, label, hint, done, tone } = decision;
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = comment.value.trim();
    if (decision.comment === 'needed' && text === '') {
      trouble.value = 'Say why: the agent is told.';
      return;
    }
    isSending.value = true;
    try {
      await post(path`/api/projects/${task.project}/tasks/${task.id}/${verb}`, {
        ...decider(),
        ...(text !== '' && { comment: text }),
      });
      notify(`${task.project}/${task.id} is ${done}.`);
      onClose();
      onDone?.();
    } catch (error) {
      trouble.value = error instanceof ApiError ? error.message : String(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <Dialog title={`${label}: ${task.title}`} onClose={onClose}>
      <form onSubmit={send} class="form">
        <p class="dim">{hint}</p>
        <label>
          Comment{decision.comment === 'needed' ? '' : ' (optional)'}
          <textarea
            rows={4}
            value={comment.value}
            autoFocus
            onInput={(event) => {
              comment.value = event.currentTarget.value;
            }}
          />
        </label>
        {session.token.value === null && (
          <label>
            Your name, for the log
            <input
              value={session.name.value}
              maxLength={100}
              autocomplete="name"
              onInput={(event) => session.setName(event.currentTarget.value)}
            />
          </label>
        )}
        {trouble.value !== null && (
          <p class="trouble" role="alert">
            {trouble.value}
          </p>
        )}
        <div class="actions end">
          <button type="button" class="quiet" onClick={onClose}>
            Back
          </button>
          <button type="submit" class="strong" data-tone={tone} disabled={isSending.value}>
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
