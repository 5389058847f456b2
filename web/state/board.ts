/**
 * The board, kept up to date by the server. It contains only what the server has sent; the page never predicts the
 * result of a request. Changes are applied once a frame.
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
/** The present; null until the server has sent it. */
export const live = signal<Board | null>(null);
/** What is shown: the present, or the past moment that was chosen. */
export const board = computed<Board | null>(() => past.value?.board ?? live.value);

/** Projects with a card. */
export const projects = computed<readonly string[]>(() =>
  [...new Set([...(live.value?.cards.values() ?? [])].map((card) => card.project))].sort(),
);

/** Changes that a hidden page collects before it applies them. */
const MAX_HIDDEN_CHANGES = 50;

let waiting: (BoardAnswer | BoardChange)[] = [];
let frame = 0;

function onEvent({ event, data }: ServerEvent): void {
  if (event !== 'board' && event !== 'change') return;
  waiting.push(JSON.parse(data));
  // A hidden page gets no frames, and must not collect changes for ever.
  if (document.hidden && waiting.length > MAX_HIDDEN_CHANGES) draw();
  frame ||= requestAnimationFrame(draw);
}

function draw(): void {
  cancelAnimationFrame(frame);
  frame = 0;
  const updates = waiting;
  waiting = [];
  let next = live.value;
  let cards: Map<string, BoardCard> | null = null;
  for (const each of updates) {
    if ('time' in each) {
      next = boardOf(each);
      cards = null;
      continue;
    }
    if (!next) continue;
    cards ??= new Map(next.cards);
    for (const card of each.cards) cards.set(keyOf(card), card);
    const { sequence, counts, agents = next.agents, budgets = next.budgets } = each;
    next = { sequence, counts, agents, budgets, cards };
  }
  if (cards) dropOldSettled(cards);
  batch(() => {
    live.value = next;
    connection.value = 'live';
  });
}

/** Keeps only the newest cards of each settled state, as the server does. */
function dropOldSettled(cards: Map<string, BoardCard>): void {
  for (const state of settledStates) {
    const settled = [...cards.values()].filter((card) => card.status === state);
    if (settled.length <= 2 * SETTLED_SHOWN) continue;
    settled.sort((a, b) => (b.finished_at ?? '').localeCompare(a.finished_at ?? ''));
    for (const card of settled.slice(SETTLED_SHOWN)) cards.delete(keyOf(card));
  }
}

let stop = new AbortController();

/** Follows the board; starts again if the token changes. */
export function startFollowing(): void {
  session.token.subscribe(() => {
    stop.abort();
    stop = new AbortController();
    // The next token may see less than this one.
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
