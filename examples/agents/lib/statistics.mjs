/**
 * The value below which the share `q` of the sorted numbers lies, interpolated between neighbours (as numpy and R do).
 * @param {number[]} sorted ascending, at least one @param {number} q from 0 to 1
 */
export function quantile(sorted, q) {
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const low = sorted[below];
  const high = sorted[Math.ceil(at)];
  return low + (high - low) * (at - below);
}

/** @param {number[]} numbers at least one */
export function summarize(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, each) => total + each, 0);
  return {
    count: sorted.length,
    sum,
    mean: sum / sorted.length,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}

/**
 * Tukey's fences: what lies more than 1.5 times the interquartile range outside the middle half is an outlier.
 * @param {number[]} numbers at least one
 */
export function outlierFences(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const q1 = quantile(sorted, 0.25);
  const q3 = quantile(sorted, 0.75);
  return { low: q1 - 1.5 * (q3 - q1), high: q3 + 1.5 * (q3 - q1) };
}

/** Least-squares slope: by how much `numbers` grow from one to the next. @param {number[]} numbers */
export function slope(numbers) {
  const middle = (numbers.length - 1) / 2;
  const mean = numbers.reduce((total, each) => total + each, 0) / numbers.length;
  let above = 0;
  let below = 0;
  for (const [index, value] of numbers.entries()) {
    above += (index - middle) * (value - mean);
    below += (index - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

/**
 * @template T, K
 * @param {T[]} items @param {(item: T) => K} keyOf
 * @returns {Map<K, T[]>} in the order in which the keys first appear
 */
export function groupBy(items, keyOf) {
  /** @type {Map<K, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/**
 * The Monday (UTC) of a day's week, as a date.
 * @param {string} date begins with YYYY-MM-DD
 * @returns {string | null} null if it is not a date
 */
export function weekOf(date) {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(date)?.[0];
  const time = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time)) return null;
  const sinceMonday = (new Date(time).getUTCDay() + 6) % 7;
  return new Date(time - sinceMonday * 86_400_000).toISOString().slice(0, 10);
}
