/** A board, of now or of the past, as the page holds it. */
import type { AgentAnswer } from '../../src/contracts/api/answers.ts';
import type { BoardAnswer, BoardCard } from '../../src/contracts/api/board.ts';

export interface Board {
  /** All of it is as it was after this event. */
  readonly sequence: number;
  /** Tasks in each state, those without a card included. */
  readonly counts: BoardAnswer['counts'];
  /** By `project/id`. */
  readonly cards: ReadonlyMap<string, BoardCard>;
  readonly agents: readonly AgentAnswer[];
}

export const keyOf = ({ project, id }: Pick<BoardCard, 'project' | 'id'>): string => `${project}/${id}`;

export function boardOf({ sequence, counts, cards, agents }: Omit<BoardAnswer, 'event'>): Board {
  return { sequence, counts, agents, cards: new Map(cards.map((card) => [keyOf(card), card])) };
}
