/** Asked before a decision is sent: what it does, the reason, and who decides. */
import { useSignal } from '@preact/signals';
import { ApiError } from '../../api/http.ts';
import { decider, session } from '../../state/session.ts';
import { Dialog } from '../base/dialog.tsx';

/** What every decision takes. */
export interface DecisionBody {
  readonly by?: string;
  readonly comment?: string;
}

export interface QuestionProps {
  readonly title: string;
  readonly hint: string;
  /** Of the button that sends it. */
  readonly label: string;
  readonly tone?: 'good' | 'bad' | undefined;
  /** Whether it has to be said why. */
  readonly comment: 'needed' | 'possible';
  /** What it throws is shown, and the question stays. */
  readonly send: (body: DecisionBody) => Promise<void>;
  readonly onClose: () => void;
}

export function Question({ title, hint, label, tone, comment: need, send, onClose }: QuestionProps) {
  const comment = useSignal('');
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = comment.value.trim();
    if (need === 'needed' && text === '') {
      trouble.value = 'Say why: the agent is told.';
      return;
    }
    isSending.value = true;
    try {
      await send({ ...decider(), ...(text !== '' && { comment: text }) });
    } catch (error) {
      trouble.value = error instanceof ApiError ? error.message : String(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} class="form">
        <p class="dim">{hint}</p>
        <label>
          Comment{need === 'needed' ? '' : ' (optional)'}
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
