/** A measured figure with its goal and a note on how it was measured. */

export interface Goal {
  readonly text: string;
  readonly isMet: (value: number) => boolean;
}

export interface Figure {
  readonly key: string;
  readonly value: number;
  /** null for a figure that only explains another one. */
  readonly goal: Goal | null;
  readonly note: string;
}

export function atLeast(limit: number): Goal {
  return { text: `>= ${shown(limit)}`, isMet: (value) => value >= limit };
}

export function atMost(limit: number): Goal {
  return { text: `<= ${shown(limit)}`, isMet: (value) => value <= limit };
}

export function lineOf({ key, value, goal, note }: Figure): string {
  const verdict = goal === null ? '' : goal.isMet(value) ? 'met' : 'MISS';
  return `${key.padEnd(26)} ${shown(value).padStart(10)}  ${(goal?.text ?? '').padEnd(10)} ${verdict.padEnd(4)}  ${note}`;
}

export function shown(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** The item with the median of `of`. */
export function medianBy<Item>(items: readonly Item[], of: (item: Item) => number): Item {
  const middle = [...items].sort((a, b) => of(a) - of(b))[Math.floor(items.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

/** The value below which the given share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
