/** What the user may do: the page does not offer what the server would refuse. */
import { effect, signal } from '@preact/signals';
import type { Right } from '../../src/contracts/api/caller.ts';
import { get } from '../api/http.ts';
import type { AnswerOf } from '../api/types.ts';
import { past } from './past.ts';
import { session } from './session.ts';

/** null until the server has answered. */
const rights = signal<readonly Right[] | null>(null);

effect(() => {
  // Loads the rights again if the token changes.
  void session.token.value;
  const asked = new AbortController();
  rights.value = null;
  get<AnswerOf<'getCaller'>>('/api/caller', asked.signal).then(
    ({ may }) => {
      if (!asked.signal.aborted) rights.value = may;
    },
    // Without an answer the page offers everything, and the server refuses what is not allowed.
    () => {},
  );
  return () => asked.abort();
});

/** Whether to offer an action: the user has the right, and the page shows the present. */
export function mayNow(right: Right): boolean {
  return past.value === null && (rights.value?.includes(right) ?? true);
}
