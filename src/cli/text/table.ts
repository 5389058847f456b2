/** Tables that fit into the terminal. */

import { cutText } from '../../base/text/cut-text.ts';
import { oneLine } from '../../base/text/printable.ts';
import type { Style, Terminal } from '../terminal.ts';
import { pad, shorten, widthOf } from './width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string | number;
  readonly style?: (row: Row) => Style | null;
  readonly align?: 'right';
  /** Names are copied by users, so they are shortened last. */
  readonly isName?: boolean;
}

const GAP = '  ';
/** No column is narrower than this. */
const MIN_WIDTH = 4;
/** Characters of a cell, also where lines have no end: one long text must not make every line of a file as long. */
const MAX_CELL_LENGTH = 500;

/** Rows in aligned columns with a header, shortened to the width of the terminal. */
export function tableLines<Row>(
  terminal: Pick<Terminal, 'columns' | 'style'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string[] {
  const cells = rows.map((row) => columns.map((column) => cellOf(column, row)));
  const widths = widthsFor(terminal.columns, columns, cells);
  const lineOf = (texts: readonly string[], styleOf: (column: Column<Row>) => Style | null): string =>
    columns
      .map((column, index) => {
        const width = widths[index] ?? 0;
        const isLast = index === columns.length - 1 && column.align === undefined;
        const text = shorten(texts[index] ?? '', width);
        const style = styleOf(column);
        const shown = isLast ? text : pad(text, width, column.align ?? 'left');
        return style === null ? shown : terminal.style(style, shown);
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return [
    lineOf(titles, () => 'dim'),
    ...rows.map((row, index) => lineOf(cells[index] ?? [], ({ style }) => style?.(row) ?? null)),
  ];
}

function cellOf<Row>(column: Column<Row>, row: Row): string {
  return cutText(oneLine(String(column.text(row))), MAX_CELL_LENGTH, '…');
}

function widthsFor<Row>(
  room: number,
  columns: readonly Column<Row>[],
  cells: readonly (readonly string[])[],
): number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > room) {
    const widest = widestOf(widths, (index) => !columns[index]?.isName) ?? widestOf(widths, () => true);
    if (widest === null) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** The index of the widest column that can still be narrowed. */
function widestOf(widths: readonly number[], isWanted: (index: number) => boolean): number | null {
  let widest: number | null = null;
  for (const [index, width] of widths.entries()) {
    if (width <= MIN_WIDTH || !isWanted(index)) continue;
    if (widest === null || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}
