/** All tasks in columns by state, kept up to date. */
import { useComputed } from '@preact/signals';
import type { BoardCard } from '../../src/contracts/api/board.ts';
import { Empty, Loading } from '../parts/base/basics.tsx';
import { number } from '../parts/base/format.ts';
import type { PageProps } from '../parts/base/page.tsx';
import { VirtualList } from '../parts/base/virtual-list.tsx';
import { CARD_HEIGHT, Card } from '../parts/task/card.tsx';
import { board } from '../state/board.ts';
import { keyOf } from '../state/cards.ts';
import { COLUMNS, type Column } from '../state/columns.ts';
import { matcher, project, words } from '../state/filter.ts';

export function BoardPage({ title }: PageProps) {
  const columns = useComputed(() => {
    const isWanted = matcher();
    const byState = new Map<string, BoardCard[]>();
    for (const card of board.value?.cards.values() ?? []) {
      if (!isWanted(card)) continue;
      const cards = byState.get(card.status);
      if (cards) cards.push(card);
      else byState.set(card.status, [card]);
    }
    return COLUMNS.map((column) => ({
      column,
      cards: column.states.flatMap((state) => byState.get(state) ?? []).sort(column.order),
    }));
  });
  const shown = board.value;
  if (!shown) return <Loading what="the board" />;
  const isFiltered = project.value !== '' || words.value.trim() !== '';
  // A column without a task takes no room; with none at all there is nothing to lay out.
  const filled = columns.value.filter(
    ({ column, cards }) => cards.length > 0 || (!isFiltered && totalOf(column) > 0),
  );
  const isEmpty = columns.value.every(({ cards }) => cards.length === 0);
  return (
    <div class="board-page">
      <h1 class="visually-hidden">{title}</h1>
      {isEmpty && (
        <Empty title={isFiltered ? 'No matching tasks.' : 'There are no tasks yet.'}>
          {isFiltered ? (
            <p>Remove words from the search, or choose all projects.</p>
          ) : (
            <p>
              Add one with <code>signalbox task add "Say hello" --agent …</code> or <code>POST /tasks</code>.
            </p>
          )}
        </Empty>
      )}
      <div class="board" style={{ '--columns': filled.map(() => COLUMN_WIDTH).join(' ') }}>
        {filled.map(({ column, cards }) => (
          <BoardColumn
            key={column.id}
            column={column}
            cards={cards}
            total={isFiltered ? null : totalOf(column)}
          />
        ))}
      </div>
    </div>
  );
}

const totalOf = ({ states }: Column): number =>
  states.reduce((sum, state) => sum + (board.value?.counts[state] ?? 0), 0);

/** Eight columns fit 1,440 pixels. */
const COLUMN_WIDTH = 'minmax(128px, 1fr)';

interface BoardColumnProps {
  readonly column: Column;
  readonly cards: readonly BoardCard[];
  /** Including tasks without a card; null while the board is filtered. */
  readonly total: number | null;
}

function BoardColumn({ column, cards, total }: BoardColumnProps) {
  const hidden = total === null ? 0 : total - cards.length;
  return (
    <section class="column" aria-label={column.title} data-column={column.id} data-empty={cards.length === 0}>
      <header>
        <h2>{column.title}</h2>
        <span class="count">{number(total ?? cards.length)}</span>
      </header>
      <VirtualList
        label={`Tasks: ${column.title}`}
        items={cards}
        keyOf={keyOf}
        rowHeight={CARD_HEIGHT}
        render={(card) => <Card card={card} />}
      />
      {hidden > 0 && <p class="column-more dim">and {number(hidden)} older</p>}
    </section>
  );
}
