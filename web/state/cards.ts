/** The board as the page keeps it, of the present or of the past. */
import type { AgentAnswer } from '../../src/contracts/api/answers.ts';
import type { BoardAnswer, BoardCard } from '../../src/contracts/api/board.ts';
import { taskKey } from '../../src/contracts/ids.ts';

export interface Board {
  /** The last event that is included. */
  readonly sequence: number;
  /** Tasks in each state, including those without a card. */
  readonly counts: BoardAnswer['counts'];
  /** By the key of the task. */
  readonly cards: ReadonlyMap<string, BoardCard>;
  readonly agents: readonly AgentAnswer[];
  /** Budgets that have warned or are used up. */
  readonly budgets: BoardAnswer['budgets'];
}

/** The key of a task as answers name it. */
export const keyOf = ({ project, id }: Pick<BoardCard, 'project' | 'id'>): string =>
  taskKey({ project, task: id });

export function boardOf({ sequence, counts, cards, agents, budgets }: Omit<BoardAnswer, 'event'>): Board {
  return { sequence, counts, agents, budgets, cards: new Map(cards.map((card) => [keyOf(card), card])) };
}

/** The status of an attempt that needs attention, else that of the task. */
export function shownStatus({
  status,
  attempt_status,
}: Pick<BoardCard, 'status' | 'attempt_status'>): string {
  const isShown =
    attempt_status === 'suspected' || attempt_status === 'stopping' || attempt_status === 'waiting';
  return isShown ? attempt_status : status;
}
