/** What needs attention, the most urgent first. */
import { computed } from '@preact/signals';
import type { AgentAnswer } from '../../src/contracts/api/answers.ts';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import { board } from './board.ts';
import { shownStatus } from './cards.ts';

export interface Attention {
  /** Tasks whose agents wait for an answer. */
  readonly asking: readonly BoardCard[];
  /** Results that wait for a manual review. */
  readonly reviews: readonly BoardCard[];
  readonly blocked: readonly BoardCard[];
  /** Attempts that were silent for too long, or are being stopped. */
  readonly suspected: readonly BoardCard[];
  readonly deadLetters: readonly BoardCard[];
  /** Agents that take no tasks, although they were not paused or drained. */
  readonly agents: readonly AgentAnswer[];
}

const TROUBLED = new Set(['parked', 'probing', 'offline']);

export const attention = computed<Attention>(() => {
  const cards = [...(board.value?.cards.values() ?? [])].sort((a, b) =>
    a.updated_at < b.updated_at ? -1 : 1,
  );
  return {
    asking: cards.filter(({ open_questions }) => open_questions > 0),
    reviews: cards.filter(({ status, review }) => status === 'review' && review === 'manual'),
    blocked: cards.filter(({ status, open_questions }) => status === 'blocked' && open_questions === 0),
    suspected: cards.filter((card) => ['suspected', 'stopping'].includes(shownStatus(card))),
    deadLetters: cards.filter(({ status }) => status === 'failed' || status === 'expired').reverse(),
    agents: (board.value?.agents ?? []).filter(({ state }) => TROUBLED.has(state)),
  };
});

export const attentionCount = computed(() =>
  Object.values(attention.value).reduce((sum, { length }) => sum + length, 0),
);
