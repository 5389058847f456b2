/** What needs attention: groups by urgency, and in each group the task with the highest priority first, then the one that waits longest. */
import { computed } from '@preact/signals';
import type { AgentAnswer } from '../../src/contracts/api/answers.ts';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import { board } from './board.ts';
import { type Board, shownStatus } from './cards.ts';

/** A task that no agent can take as things are. */
export interface StrandedCard {
  readonly card: BoardCard;
  readonly why: string;
}

export interface Attention {
  /** Tasks whose agents wait for an answer. */
  readonly asking: readonly BoardCard[];
  /** Attempts that were silent for too long, or are being stopped. */
  readonly suspected: readonly BoardCard[];
  readonly deadLetters: readonly BoardCard[];
  /** Pending tasks that no agent has the capability for, or whose agents have no worker. */
  readonly stranded: readonly StrandedCard[];
  /** Results that wait for a manual review. */
  readonly reviews: readonly BoardCard[];
  readonly blocked: readonly BoardCard[];
  /** Agents that take no tasks, although they were not paused or drained. */
  readonly agents: readonly AgentAnswer[];
  /** Budgets that have warned or are used up. */
  readonly budgets: Board['budgets'];
}

const TROUBLED = new Set(['parked', 'probing', 'offline']);

export const attention = computed<Attention>(() => {
  const cards = [...(board.value?.cards.values() ?? [])].sort(byUrgency);
  const agents = board.value?.agents ?? [];
  return {
    asking: cards.filter(({ open_questions }) => open_questions > 0),
    suspected: cards.filter((card) => ['suspected', 'stopping'].includes(shownStatus(card))),
    deadLetters: cards.filter(({ status }) => status === 'failed' || status === 'expired'),
    stranded: cards.flatMap((card) => {
      const why = card.status === 'pending' ? strandedBy(card, agents) : null;
      return why === null ? [] : [{ card, why }];
    }),
    reviews: cards.filter(({ status, review }) => status === 'review' && review === 'manual'),
    blocked: cards.filter(({ status, open_questions }) => status === 'blocked' && open_questions === 0),
    budgets: board.value?.budgets ?? [],
    agents: agents.filter(({ state }) => TROUBLED.has(state)),
  };
});

export const attentionCount = computed(() =>
  Object.values(attention.value).reduce((sum, { length }) => sum + length, 0),
);

function byUrgency(a: BoardCard, b: BoardCard): number {
  return b.priority - a.priority || (a.updated_at < b.updated_at ? -1 : 1);
}

/** Why none of these agents can take a task now, and will not by itself; null if one can. */
export function strandedBy(
  { agent, type }: Pick<BoardCard, 'agent' | 'type'>,
  agents: readonly Pick<AgentAnswer, 'id' | 'state' | 'capabilities'>[],
): string | null {
  const takers = agents.filter(
    ({ id, capabilities }) => id === agent || (type !== null && capabilities.includes(type)),
  );
  if (takers.length === 0) {
    return agent === null ? `No agent has the capability ${type}.` : `No agent is called ${agent}.`;
  }
  if (takers.some(({ state }) => state !== 'offline')) return null;
  const names = takers.map(({ id }) => id).join(', ');
  return `${names} ${takers.length === 1 ? 'has' : 'have'} no worker: start one with "signalbox worker".`;
}
