/** What whoever looks may do: what would be refused is not offered. */
import { effect, signal } from '@preact/signals';
import type { CallerAnswer, Right } from '../../src/contracts/api/caller.ts';
import { get } from '../api/http.ts';
import { past } from './past.ts';
import { session } from './session.ts';

/** null as long as the server has not said so. */
const rights = signal<readonly Right[] | null>(null);

effect(() => {
  // Asked anew for every token.
  void session.token.value;
  const asked = new AbortController();
  rights.value = null;
  get<CallerAnswer>('/api/caller', asked.signal).then(
    ({ may }) => {
      if (!asked.signal.aborted) rights.value = may;
    },
    // Without an answer everything is offered, and the server refuses what it has to.
    () => {},
  );
  return () => asked.abort();
});

/** Whether to offer it. Nobody changes the past. */
export function mayNow(right: Right): boolean {
  return past.value === null && (rights.value?.includes(right) ?? true);
}
