/** The search: of one project, and with some words. */
import { signal } from '@preact/signals';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import { taskKey } from '../../src/contracts/ids.ts';

/** Empty for all projects. */
export const project = signal('');
/** As typed. */
export const words = signal('');

/** @returns whether a card matches the search */
export function matcher(): (card: BoardCard) => boolean {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const only = project.value;
  return (card) => {
    if (only !== '' && card.project !== only) return false;
    if (wanted.length === 0) return true;
    const text =
      `${taskKey({ project: card.project, task: card.id })} ${card.title} ${card.agent ?? ''} ${card.type ?? ''} ${card.note ?? ''}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
}
