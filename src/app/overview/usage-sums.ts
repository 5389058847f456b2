/**
 * Sums of what attempts have used, by what the rows of an answer are for.
 *
 * Made for speed: a hundred thousand attempts may form nearly as many groups. So figures stand in one array instead of an
 * object for each group, and a group is found by one value after the other instead of a text made of all of them.
 */
import type { UsageEntry } from '../../../projections/usage.ts';
import {
  addFigures,
  FIGURES,
  type Figure,
  noFigures,
  type UsageFigures,
} from '../../../projections/usage-figures.ts';
import { Heap } from '../../base/heap.ts';

/** Attempts that are the same in what the rows are for. */
export interface UsageGroup {
  readonly row: number;
  /** One of them. */
  readonly entry: UsageEntry;
  readonly day: string;
}

/** What tells groups apart. */
type Value = string | null;

export class UsageSums {
  readonly total = noFigures();
  readonly groups: UsageGroup[] = [];
  readonly #rows = new RowFinder();
  readonly #figures = new FiguresTable();

  /** @param values as many for each entry */
  add(entry: UsageEntry, day: string, values: readonly Value[]): void {
    addFigures(this.total, entry);
    const row = this.#rows.find(values);
    if (row === this.groups.length) this.groups.push({ row, entry, day });
    this.#figures.add(row, entry);
  }

  figuresOf({ row }: UsageGroup): UsageFigures {
    return this.#figures.read(row);
  }

  /** The first groups in an order. @param isByDay by day, oldest first; otherwise by cost and tokens, most first */
  first(count: number, isByDay: boolean): UsageGroup[] {
    const byCost = (a: UsageGroup, b: UsageGroup): number =>
      this.#figures.compare(a.row, b.row) || a.row - b.row;
    const byDay = (a: UsageGroup, b: UsageGroup): number => {
      if (a.day !== b.day) return a.day < b.day ? -1 : 1;
      return byCost(a, b);
    };
    return leastOf(this.groups, count, isByDay ? byDay : byCost);
  }
}

/** Numbers the combinations of values, from 0 on. */
class RowFinder {
  /** Of a value to the next map, or to the row if it is the last value. */
  readonly #maps = [new Map<Value, number>()];
  #rows = 0;

  find(values: readonly Value[]): number {
    let place = 0;
    for (let index = 0; index < values.length; index++) {
      const map = this.#maps[place];
      const value = values[index] ?? null;
      const known = map?.get(value);
      if (known !== undefined) place = known;
      else {
        place = index === values.length - 1 ? this.#rows++ : this.#maps.push(new Map()) - 1;
        map?.set(value, place);
      }
    }
    return place;
  }
}

type Column = Float64Array;
const FIRST_ROWS = 64;

/** Figures by row, each figure in an array of its own. */
class FiguresTable {
  #columns = columnsOf(() => new Float64Array(FIRST_ROWS));

  /** @param row an earlier one, or the next one */
  add(row: number, more: UsageFigures): void {
    if (row >= this.#columns.cost.length) this.#grow();
    const columns = this.#columns;
    plus(columns.attempts, row, more.attempts);
    plus(columns.counted, row, more.counted);
    plus(columns.input, row, more.input);
    plus(columns.output, row, more.output);
    plus(columns.cacheRead, row, more.cacheRead);
    plus(columns.cacheWrite, row, more.cacheWrite);
    plus(columns.cost, row, more.cost);
    plus(columns.estimated, row, more.estimated);
    plus(columns.withoutTokens, row, more.withoutTokens);
    plus(columns.withoutCost, row, more.withoutCost);
  }

  read(row: number): UsageFigures {
    const figures = noFigures();
    for (const figure of FIGURES) figures[figure] = cell(this.#columns[figure], row);
    return figures;
  }

  /** More cost first, then more tokens, then more attempts. */
  compare(a: number, b: number): number {
    const { cost, input, output, attempts } = this.#columns;
    return (
      cell(cost, b) - cell(cost, a) ||
      cell(input, b) + cell(output, b) - cell(input, a) - cell(output, a) ||
      cell(attempts, b) - cell(attempts, a)
    );
  }

  #grow(): void {
    const before = this.#columns;
    this.#columns = columnsOf((figure) => {
      const column = new Float64Array(before[figure].length * 2);
      column.set(before[figure]);
      return column;
    });
  }
}

function columnsOf(make: (figure: Figure) => Column): Readonly<Record<Figure, Column>> {
  return {
    attempts: make('attempts'),
    counted: make('counted'),
    input: make('input'),
    output: make('output'),
    cacheRead: make('cacheRead'),
    cacheWrite: make('cacheWrite'),
    cost: make('cost'),
    estimated: make('estimated'),
    withoutTokens: make('withoutTokens'),
    withoutCost: make('withoutCost'),
  };
}

function plus(column: Column, row: number, more: number): void {
  column[row] = cell(column, row) + more;
}

const cell = (column: Column, row: number): number => column[row] ?? 0;

/** The first `count` of the items in an order, without sorting all of them. */
function leastOf<Item>(items: readonly Item[], count: number, compare: (a: Item, b: Item) => number): Item[] {
  if (items.length <= count) return [...items].sort(compare);
  const heap = new Heap<Item>((a, b) => compare(b, a));
  for (const item of items) {
    const last = heap.peek();
    if (heap.size === count && last !== undefined && compare(item, last) >= 0) continue;
    heap.push(item);
    if (heap.size > count) heap.pop();
  }
  const least: Item[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) least.push(item);
  return least.reverse();
}
