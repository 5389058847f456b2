/** The dialog before a decision is sent: what it does, a comment, and the name of the user. */
import { useSignal } from '@preact/signals';
import { decider } from '../../state/session.ts';
import { Dialog } from '../base/dialog.tsx';
import { DialogForm } from '../base/dialog-form.tsx';
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
  const sendIt = async (): Promise<void> => {
    const text = comment.value.trim();
    if (needsComment && text === '') throw new Error('Enter a comment: the agent receives it.');
    await send({
      ...decider(),
      ...(text !== '' && { comment: text }),
      ...(withChildren.value && { children: true }),
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <DialogForm label={label} tone={tone} send={sendIt} onClose={onClose}>
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
      </DialogForm>
    </Dialog>
  );
}
