import { past } from '../../state/past.ts';

/** Said on pages that know nothing of the past. */
export function PresentOnly({ what }: { readonly what: string }) {
  if (past.value === null) return null;
  return (
    <p class="why" role="note">
      {what} as it is now; the board, the agents and each task show the past.
    </p>
  );
}
