/** Tasks that the user has ticked in a list, for a decision about all of them. */
import { useSignal } from '@preact/signals';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import { keyOf } from './cards.ts';

export interface Choice<Item> {
  /** Those that are ticked and still in the list. */
  readonly items: readonly Item[];
  has(item: Item): boolean;
  toggle(item: Item): void;
  /** Ticks all, or none if all are ticked. */
  toggleAll(): void;
  clear(): void;
}

export function useChoice<Item extends Pick<BoardCard, 'project' | 'id'>>(
  all: readonly Item[],
): Choice<Item> {
  const keys = useSignal<ReadonlySet<string>>(new Set());
  const items = all.filter((item) => keys.value.has(keyOf(item)));
  return {
    items,
    has: (item) => keys.value.has(keyOf(item)),
    toggle: (item) => {
      const next = new Set(keys.value);
      if (!next.delete(keyOf(item))) next.add(keyOf(item));
      keys.value = next;
    },
    toggleAll: () => {
      keys.value = new Set(items.length === all.length ? [] : all.map(keyOf));
    },
    clear: () => {
      keys.value = new Set();
    },
  };
}
