/**
 * Durations, counted in classes that grow with their size: eight for each doubling.
 *
 * A quantile is off by a sixteenth at most, and exact below 16 ms. There are some 230 classes up to the longest duration,
 * and only those that occur are kept.
 */

/** How many durations are in each class. */
export type Histogram = Map<number, number>;

/** Classes to each doubling, as a power of two. */
const BITS = 3;
const CLASSES = 1 << BITS;
/** 24 days in milliseconds: longer durations count as this long. */
const LONGEST = 2 ** 31 - 1;

/** @param ms a duration; a negative one, from a clock that was set back, counts as 0 */
export function note(histogram: Histogram, ms: number): void {
  const place = classOf(Math.min(Math.max(ms, 0), LONGEST));
  histogram.set(place, (histogram.get(place) ?? 0) + 1);
}

/** Adds the counts of another histogram. */
export function merge(into: Histogram, other: Histogram): void {
  for (const [place, count] of other) into.set(place, (into.get(place) ?? 0) + count);
}

/**
 * Quantiles in milliseconds, one for each share; null if there are no durations.
 * @param shares of 1, in rising order, as in 0.5 for the median
 */
export function quantiles(histogram: Histogram, shares: readonly number[]): readonly number[] | null {
  const places = [...histogram].sort(([a], [b]) => a - b);
  const total = places.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  let index = 0;
  let seen = places[0]?.[1] ?? 0;
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    while (seen < rank) seen += places[++index]?.[1] ?? total;
    return middleOf(places[index]?.[0] ?? 0);
  });
}

function classOf(ms: number): number {
  const whole = Math.trunc(ms);
  if (whole < CLASSES) return whole;
  const shift = 31 - Math.clz32(whole) - BITS;
  return (shift << BITS) + (whole >>> shift);
}

/** The reverse of `classOf`, in the middle of the class. */
function middleOf(place: number): number {
  if (place < CLASSES) return place;
  const shift = (place >>> BITS) - 1;
  const low = (CLASSES + (place & (CLASSES - 1))) * 2 ** shift;
  return low + Math.floor(2 ** shift / 2);
}
