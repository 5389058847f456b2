/** Collects the values at the places that a driver names from a stream of events, in bounded memory. */
import type { Usage } from '../../contracts/tasks.ts';
import { type Condition, holds, type JsonPath, parseCondition, parsePath, valuesAt } from './json-path.ts';
import type { Places } from './spec.ts';

/** Characters of a text that are kept: the newest, since an answer is at the end. */
const MAX_TEXT_LENGTH = 256 * 1_024;

interface Finder {
  readonly path: JsonPath;
  readonly when: Condition | null;
  readonly take: 'last' | 'first' | 'join' | 'sum';
  readonly isCumulative: boolean;
}

function findersOf(places: Places | undefined): readonly Finder[] {
  return [places ?? []].flat().map((place) => {
    const finder = typeof place === 'string' ? { path: place } : place;
    return {
      path: parsePath(finder.path),
      when: finder.when === undefined ? null : parseCondition(finder.when),
      take: finder.take ?? 'last',
      isCumulative: finder.cumulative ?? false,
    };
  });
}

function* hits(finder: Finder, event: object): Iterable<unknown> {
  if (finder.when !== null && !holds(event, finder.when)) return;
  for (const value of valuesAt(event, finder.path)) if (value !== null && value !== undefined) yield value;
}

/** Whether one of the conditions held for an event. */
export class ConditionCollector {
  readonly #conditions: readonly Condition[];
  holds = false;

  constructor(conditions: readonly string[] = []) {
    this.#conditions = conditions.map(parseCondition);
  }

  receive(event: object): void {
    this.holds ||= this.#conditions.some((each) => holds(event, each));
  }
}

/** Keeps one value for each place. */
abstract class Collector<Value> {
  protected readonly finders: readonly Finder[];
  protected readonly values: (Value | undefined)[];

  constructor(places: Places | undefined) {
    this.finders = findersOf(places);
    this.values = this.finders.map(() => undefined);
  }

  receive(event: object): void {
    for (const [index, finder] of this.finders.entries()) {
      for (const hit of hits(finder, event)) {
        const before = this.values[index];
        if (finder.take === 'first' && before !== undefined) continue;
        this.values[index] = this.combine(before, hit, finder.take);
      }
    }
  }

  /** @returns `before` for a hit that does not count */
  protected abstract combine(
    before: Value | undefined,
    hit: unknown,
    take: Finder['take'],
  ): Value | undefined;
}

/** The text at the first of the places that holds one. */
export class TextCollector extends Collector<string> {
  get value(): string | undefined {
    return this.values.find((text) => text !== undefined && text !== '')?.slice(-MAX_TEXT_LENGTH);
  }

  protected combine(before: string | undefined, hit: unknown, take: Finder['take']): string {
    const text = typeof hit === 'string' ? hit : JSON.stringify(hit);
    if (take !== 'join') return text.slice(-MAX_TEXT_LENGTH);
    const joined = `${before ?? ''}${text}`;
    // Not at every hit, because each cut copies the rest.
    return joined.length > 2 * MAX_TEXT_LENGTH ? joined.slice(-MAX_TEXT_LENGTH) : joined;
  }
}

export interface FoundNumber {
  readonly value: number;
  /** Whether it counts the whole session. */
  readonly isCumulative: boolean;
}

/** The number at the first of the places that holds one. */
export class NumberCollector extends Collector<number> {
  get found(): FoundNumber | undefined {
    const index = this.values.findIndex((value) => value !== undefined);
    const value = this.values[index];
    return value === undefined
      ? undefined
      : { value, isCumulative: this.finders[index]?.isCumulative ?? false };
  }

  protected combine(before: number | undefined, hit: unknown, take: Finder['take']): number | undefined {
    if (typeof hit !== 'number' || !Number.isFinite(hit) || hit < 0) return before;
    return take === 'sum' ? (before ?? 0) + hit : hit;
  }
}

export const USAGE_KEYS = ['input_tokens', 'output_tokens', 'cost_usd'] as const;
export type FoundUsage = { readonly [Key in (typeof USAGE_KEYS)[number]]?: FoundNumber | undefined };

/**
 * What this attempt has used. A program that counts its whole session includes the earlier attempts.
 * @param before what the earlier attempts of the session have used
 */
export function usageOf(found: FoundUsage, before: Usage | undefined): Usage | undefined {
  const usage: Usage = {};
  for (const key of USAGE_KEYS) {
    const number = found[key];
    const earlier = before?.[key];
    if (!number) continue;
    // A count below that of the earlier attempts has started again from zero.
    const includes = number.isCumulative && earlier !== undefined && number.value >= earlier;
    usage[key] = includes ? number.value - earlier : number.value;
  }
  return Object.keys(usage).length === 0 ? undefined : usage;
}
