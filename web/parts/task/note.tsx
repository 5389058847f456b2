/** The note of a card: its result, why it failed, or its progress. */
import type { BoardCard } from '../../../src/contracts/api/board.ts';
import { Line } from '../base/safe-text.tsx';

/** What is wrong, not who decided: a reason of these states is shown as an error. */
const TROUBLED: ReadonlySet<string> = new Set(['failed', 'expired', 'scheduled']);

export function Note({
  card: { note, note_kind: kind, status },
}: {
  readonly card: Pick<BoardCard, 'note' | 'note_kind' | 'status'>;
}) {
  if (note === null) return null;
  return (
    <span
      class="row-note"
      data-kind={kind === 'reason' && TROUBLED.has(status) ? 'error' : kind}
      title={note}
    >
      <Line text={note} />
    </span>
  );
}
