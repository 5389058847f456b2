/** The columns of the board, each with one or more states. */
import type { BoardCard } from '../../src/contracts/api/board.ts';

export type TaskState = BoardCard['status'];

export interface Column {
  readonly id: string;
  readonly title: string;
  readonly states: readonly TaskState[];
  /** Compares two cards; the smaller one is above. */
  readonly order: (a: BoardCard, b: BoardCard) => number;
}

const byTime =
  (field: 'created_at' | 'updated_at' | 'finished_at' | 'due_at', direction: 1 | -1) =>
  (a: BoardCard, b: BoardCard): number => {
    const [x, y] = [a[field] ?? '', b[field] ?? ''];
    if (x === y) return a.id < b.id ? -1 : 1;
    return (x < y ? -1 : 1) * direction;
  };

const byUrgency = (a: BoardCard, b: BoardCard): number =>
  b.priority - a.priority || byTime('created_at', 1)(a, b);

export const COLUMNS: readonly Column[] = [
  { id: 'scheduled', title: 'Scheduled', states: ['scheduled'], order: byTime('due_at', 1) },
  { id: 'pending', title: 'Pending', states: ['pending'], order: byUrgency },
  { id: 'working', title: 'Working', states: ['claimed', 'working'], order: byTime('created_at', 1) },
  { id: 'review', title: 'Review', states: ['review'], order: byUrgency },
  { id: 'blocked', title: 'Blocked', states: ['blocked'], order: byTime('updated_at', 1) },
  { id: 'done', title: 'Done', states: ['done'], order: byTime('finished_at', -1) },
  { id: 'failed', title: 'Failed', states: ['failed', 'expired'], order: byTime('finished_at', -1) },
  { id: 'cancelled', title: 'Cancelled', states: ['cancelled'], order: byTime('finished_at', -1) },
];

export const settledStates: readonly TaskState[] = ['done', 'failed', 'cancelled', 'expired'];
/** Cards of each settled state that the server sends. */
export const SETTLED_SHOWN = 300;
