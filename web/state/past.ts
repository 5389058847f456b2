/** Time travel: the past moment that the page shows. */
import { computed, signal } from '@preact/signals';
import { ApiError, get, path } from '../api/http.ts';
import type { EventAnswer, PastBoard } from '../api/types.ts';
import { type Board, boardOf } from './cards.ts';

export interface PastMoment {
  readonly board: Board;
  readonly time: string;
  readonly event: EventAnswer;
}

/** What is shown; null in the present. */
export const past = signal<PastMoment | null>(null);

/** The present time in epoch milliseconds; updated once a second while the page is visible. */
const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);

/** The time of what is shown, in epoch milliseconds. */
export const shownTime = computed(() => (past.value === null ? now.value : Date.parse(past.value.time)));
/** The event that was asked for; null in the present. */
export const wanted = signal<number | null>(null);
/** Why the moment is not shown (yet); null otherwise. */
export const pastTrouble = signal<string | null>(null);

let asking = new AbortController();

/** Shows the board as it was after an event. Aborts an earlier request. */
export async function goTo(sequence: number): Promise<void> {
  asking.abort();
  const mine = new AbortController();
  asking = mine;
  wanted.value = sequence;
  while (!mine.signal.aborted) {
    try {
      const answer = await get<PastBoard>(path`/api/board?at=${sequence}`, mine.signal);
      if (mine.signal.aborted) return;
      past.value = { board: boardOf(answer), time: answer.time ?? '', event: answer.event };
      pastTrouble.value = null;
      return;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      pastTrouble.value = error.message;
      if (error.code !== 'past_pending') return;
    }
  }
}

export function goLive(): void {
  asking.abort();
  wanted.value = null;
  past.value = null;
  pastTrouble.value = null;
}
