/**
 * The board: every card, kept up to date by the server.
 *
 * B1 It holds what the server said, and nothing that this page thinks has happened.
 * B2 However many changes come, the page is drawn once a frame.
 */
import { batch, computed, signal } from '@preact/signals';
import type { BoardAnswer, BoardCard, BoardChange } from '../../src/contracts/api/board.ts';
import { follow, type ServerEvent } from '../api/events.ts';
import { type Board, boardOf, keyOf } from './cards.ts';
import { SETTLED_SHOWN, settledStates } from './columns.ts';
import { goLive, past } from './past.ts';
import { session } from './session.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export const connection = signal<Connection>('connecting');
/** As it is now; null until the server has said. */
export const live = signal<Board | null>(null);
/** What is shown: the present, or the moment that somebody has gone back to. */
export const board = computed<Board | null>(() => past.value?.board ?? live.value);

/** Every project that has a card. */
export const projects = computed<readonly string[]>(() =>
  [...new Set([...(live.value?.cards.values() ?? [])].map((card) => card.project))].sort(),
);

let waiting: (BoardAnswer | BoardChange)[] = [];
let frame = 0;

function onEvent({ event, data }: ServerEvent): void {
  if (event !== 'board' && event !== 'change') return;
  waiting.push(JSON.parse(data));
  // A page that is not seen gets no frames; it must not collect changes for ever.
  if (document.hidden && waiting.length > 50) draw();
  frame ||= requestAnimationFrame(draw);
}

function draw(): void {
  cancelAnimationFrame(frame);
  frame = 0;
  const news = waiting;
  waiting = [];
  let next = live.value;
  let cards: Map<string, BoardCard> | null = null;
  for (const each of news) {
    if ('time' in each) {
      next = boardOf(each);
      cards = null;
      continue;
    }
    if (!next) continue;
    cards ??= new Map(next.cards);
    for (const card of each.cards) cards.set(keyOf(card), card);
    const { sequence, counts, agents = next.agents } = each;
    next = { sequence, counts, agents, cards };
  }
  if (cards) dropOldSettled(cards);
  batch(() => {
    live.value = next;
    connection.value = 'live';
  });
}

/** As the server does: of each settled state only the newest are kept. */
function dropOldSettled(cards: Map<string, BoardCard>): void {
  for (const state of settledStates) {
    const settled = [...cards.values()].filter((card) => card.status === state);
    if (settled.length <= 2 * SETTLED_SHOWN) continue;
    settled.sort((a, b) => (b.finished_at ?? '').localeCompare(a.finished_at ?? ''));
    for (const card of settled.slice(SETTLED_SHOWN)) cards.delete(keyOf(card));
  }
}

let stop = new AbortController();

/** Follows the board, anew with every token. */
export function startFollowing(): void {
  session.token.subscribe(() => {
    stop.abort();
    stop = new AbortController();
    // What one token may see is not shown to who comes with another.
    waiting = [];
    goLive();
    batch(() => {
      live.value = null;
      connection.value = 'connecting';
    });
    void follow('/api/board/live', {
      signal: stop.signal,
      onEvent,
      onState: (state) => {
        if (state === 'lost') connection.value = 'lost';
      },
    });
  });
}
