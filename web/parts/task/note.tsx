/** The note of a card: its result, why it failed, or its progress. */
import type { BoardCard } from '../../../src/contracts/api/board.ts';
import { plainText } from '../base/markdown.ts';
import { Line } from '../base/safe-text.tsx';

/** What is wrong, not who decided: a reason of these states is shown as an error. */
const TROUBLED: ReadonlySet<string> = new Set(['failed', 'expired', 'scheduled']);

/** A result is often Markdown, of which a note shows the words only. */
export function noteText({ note, note_kind: kind }: Pick<BoardCard, 'note' | 'note_kind'>): string | null {
  return note !== null && kind === 'result' ? plainText(note) : note;
}

export function Note({
  card: { note, note_kind: kind, status },
}: {
  readonly card: Pick<BoardCard, 'note' | 'note_kind' | 'status'>;
}) {
  const text = noteText({ note, note_kind: kind });
  if (text === null) return null;
  return (
    <span
      class="row-note"
      data-kind={kind === 'reason' && TROUBLED.has(status) ? 'error' : kind}
      title={text}
    >
      <Line text={text} />
    </span>
  );
}
