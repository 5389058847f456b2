/** The moment that somebody has gone back to. */
import { signal } from '@preact/signals';
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
/** The place in the log that was asked for; null in the present. */
export const wanted = signal<number | null>(null);
/** In words, while the server is still reading, or why there is nothing to see; null otherwise. */
export const pastTrouble = signal<string | null>(null);

let asking = new AbortController();

/** Shows the board as it was after an event; the answer to an earlier question comes too late. */
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
