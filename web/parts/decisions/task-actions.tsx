/** What a person can decide about a task, and the question before it is done. */
import { useSignal } from '@preact/signals';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { path, post } from '../../api/http.ts';
import { mayNow } from '../../state/rights.ts';
import { notify } from '../base/notices.tsx';
import { type DecisionBody, Question } from './question.tsx';

type Named = Pick<TaskAnswer, 'project' | 'id' | 'title' | 'status'>;

interface Decision {
  readonly verb: 'approve' | 'reject' | 'cancel' | 'retry' | 'block' | 'unblock';
  readonly label: string;
  readonly done: string;
  readonly from: readonly TaskAnswer['status'][];
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
  const close = (): void => {
    asked.value = null;
  };
  const send = async ({ verb, done }: Decision, body: DecisionBody): Promise<void> => {
    await post(path`/api/projects/${task.project}/tasks/${task.id}/${verb}`, body);
    notify(`${task.project}/${task.id} is ${done}.`);
    close();
    onDone?.();
  };
  const possible = DECISIONS.filter(
    ({ verb, from }) => from.includes(task.status) && (only === undefined || only.includes(verb)),
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
      {asked.value && <Ask decision={asked.value} title={task.title} send={send} onClose={close} />}
    </div>
  );
}

interface AskProps {
  readonly decision: Decision;
  readonly title: string;
  readonly send: (decision: Decision, body: DecisionBody) => Promise<void>;
  readonly onClose: () => void;
}

function Ask({ decision, title, send, onClose }: AskProps) {
  const { label, hint, tone, comment } = decision;
  return (
    <Question
      title={`${label}: ${title}`}
      hint={hint}
      label={label}
      tone={tone}
      comment={comment}
      send={(body) => send(decision, body)}
      onClose={onClose}
    />
  );
}
