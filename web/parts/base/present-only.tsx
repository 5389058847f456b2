/** A note on pages that cannot show the past. */
import { past } from '../../state/past.ts';

export function PresentOnly() {
  if (past.value === null) return null;
  return (
    <p class="why" role="note">
      This page always shows the present. The board, the agents and the pages of tasks show the past.
    </p>
  );
}
