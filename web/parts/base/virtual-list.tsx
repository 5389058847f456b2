/** A long list of rows of equal height; only the visible rows are rendered. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface VirtualListProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** Pixels, including the gap below the row. */
  readonly rowHeight: number;
  readonly render: (item: Item) => ComponentChildren;
}

/** Extra rows above and below the visible ones, so that scrolling shows no gaps. */
const OVERSCAN = 6;
/** Rows rendered before the height is known. */
const FIRST_ROWS = 12;

export function VirtualList<Item>({ label, items, keyOf, rowHeight, render }: VirtualListProps<Item>) {
  const element = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, rows: FIRST_ROWS });
  useLayoutEffect(() => {
    const list = element.current;
    if (!list) return;
    const look = (): void => {
      const top = Math.floor(list.scrollTop / rowHeight);
      const rows = Math.ceil(list.clientHeight / rowHeight) + 1;
      setView((known) => (known.top === top && known.rows === rows ? known : { top, rows }));
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(list);
    list.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      list.removeEventListener('scroll', look);
    };
  }, [rowHeight]);
  const first = Math.max(0, Math.min(view.top, items.length - view.rows) - OVERSCAN);
  const shown = items.slice(first, first + view.rows + 2 * OVERSCAN);
  return (
    <section
      class="virtual"
      ref={element}
      // A scrollable area has to be reachable by the keyboard.
      tabIndex={items.length > view.rows ? 0 : undefined}
      aria-label={label}
    >
      <ul class="virtual-space" style={{ height: `${items.length * rowHeight}px` }} data-group>
        {shown.map((item, index) => (
          <li
            key={keyOf(item)}
            class="virtual-row"
            aria-setsize={items.length}
            aria-posinset={first + index + 1}
            style={{ transform: `translateY(${(first + index) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {render(item)}
          </li>
        ))}
      </ul>
    </section>
  );
}
