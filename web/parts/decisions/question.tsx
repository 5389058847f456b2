/** The dialog before a decision is sent: what it does, a comment, and the name of the user. */
import { useSignal } from '@preact/signals';
import { reasonOf } from '../../api/http.ts';
import { decider } from '../../state/session.ts';
import { Dialog } from '../base/dialog.tsx';
import { NameField } from '../frame/name-field.tsx';
import type { Decision } from './decisions.tsx';

/** The body of every decision. */
export interface DecisionBody {
  readonly by?: string;
  readonly comment?: string;
  readonly children?: true;
}

export interface QuestionProps {
  readonly title: string;
  readonly decision: Pick<Decision, 'label' | 'hint' | 'tone' | 'needsComment' | 'below'>;
  /** An error is shown in the dialog, which stays open. */
  readonly send: (body: DecisionBody) => Promise<void>;
  readonly onClose: () => void;
}

export function Question({ title, decision, send, onClose }: QuestionProps) {
  const { label, hint, tone, needsComment = false, below = 0 } = decision;
  const withChildren = useSignal(false);
  const comment = useSignal('');
  const trouble = useSignal<string | null>(null);
  const isSending = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = comment.value.trim();
    if (needsComment && text === '') {
      trouble.value = 'Enter a comment: the agent receives it.';
      return;
    }
    isSending.value = true;
    try {
      await send({
        ...decider(),
        ...(text !== '' && { comment: text }),
        ...(withChildren.value && { children: true }),
      });
    } catch (error) {
      trouble.value = reasonOf(error);
    } finally {
      isSending.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} class="form">
        <p class="dim">{hint}</p>
        <label>
          Comment{needsComment ? '' : ' (optional)'}
          <textarea
            rows={4}
            value={comment.value}
            autoFocus
            onInput={(event) => {
              comment.value = event.currentTarget.value;
            }}
          />
        </label>
        {below > 0 && (
          <label class="tick">
            <input
              type="checkbox"
              checked={withChildren.value}
              onChange={(event) => {
                withChildren.value = event.currentTarget.checked;
              }}
            />{' '}
            Also {below === 1 ? 'the task' : `the ${below} tasks`} below it that{' '}
            {below === 1 ? 'has' : 'have'} not ended
          </label>
        )}
        <NameField />
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
