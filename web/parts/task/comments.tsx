/** The comments on a task, and a form for a new one. */
import { useSignal } from '@preact/signals';
import { path, post, reasonOf } from '../../api/http.ts';
import type { TaskAnswer } from '../../api/types.ts';
import { mayNow } from '../../state/rights.ts';
import { chosenName } from '../../state/session.ts';
import { Ago, Section } from '../base/basics.tsx';
import { RichText } from '../base/rich-text.tsx';

export interface CommentsProps {
  readonly task: Pick<TaskAnswer, 'project' | 'id' | 'comments'>;
  readonly onDone: () => void;
}

export function Comments({ task, onDone }: CommentsProps) {
  const comments = task.comments ?? [];
  return (
    <Section title="Comments" count={comments.length}>
      {comments.map((comment, index) => (
        <article class="comment" key={index}>
          <p class="dim">
            <strong>{comment.author}</strong>, <Ago time={comment.time} />
          </p>
          <RichText text={comment.body} label={`Comment by ${comment.author}`} />
        </article>
      ))}
      {mayNow('comment') && <NewComment task={task} onDone={onDone} />}
    </Section>
  );
}

function NewComment({ task, onDone }: CommentsProps) {
  const body = useSignal('');
  const trouble = useSignal<string | null>(null);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = body.value.trim();
    if (text === '') return;
    const author = chosenName();
    try {
      await post(path`/api/projects/${task.project}/tasks/${task.id}/comments`, {
        body: text,
        ...(author !== undefined && { author }),
      });
      body.value = '';
      trouble.value = null;
      onDone();
    } catch (error) {
      trouble.value = reasonOf(error);
    }
  };
  return (
    <form class="form" onSubmit={send}>
      <label>
        Add a comment (the next attempt reads it)
        <textarea
          rows={2}
          value={body.value}
          onInput={(event) => {
            body.value = event.currentTarget.value;
          }}
        />
      </label>
      {trouble.value !== null && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="actions end">
        <button type="submit" disabled={body.value.trim() === ''}>
          Comment
        </button>
      </div>
    </form>
  );
}
