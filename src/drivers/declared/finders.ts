/** Collects the values at the places that a driver names from a stream of events, in bounded memory. */
import { lastText } from '../../base/text/cut-text.ts';
import type { ReportedUsage } from '../../contracts/usage.ts';
import { TOKEN_KEYS } from '../../contracts/usage.ts';
import { type Condition, holds, type JsonPath, parseCondition, parsePath, valuesAt } from './json-path.ts';
import type { Places } from './spec.ts';

/** Characters of a text that are kept: the newest, since an answer is at the end. */
export const MAX_RESULT_LENGTH = 16 * 1_024 * 1_024;
/** Of an error, a warning or the name of a session. */
const MAX_TEXT_LENGTH = 64 * 1_024;

interface Finder {
  readonly path: JsonPath;
  readonly when: Condition | null;
  readonly take: 'last' | 'first' | 'join' | 'sum';
  readonly isCumulative: boolean;
  /** Further numbers of the same event, and whether each is added or taken away. */
  readonly terms: readonly { readonly path: JsonPath; readonly sign: 1 | -1 }[];
}

function findersOf(places: Places | undefined): readonly Finder[] {
  return [places ?? []].flat().map((place) => {
    const finder = typeof place === 'string' ? { path: place } : place;
    return {
      path: parsePath(finder.path),
      when: finder.when === undefined ? null : parseCondition(finder.when),
      take: finder.take ?? 'last',
      isCumulative: finder.cumulative ?? false,
      terms: [
        ...(finder.plus ?? []).map((path) => ({ path: parsePath(path), sign: 1 as const })),
        ...(finder.minus ?? []).map((path) => ({ path: parsePath(path), sign: -1 as const })),
      ],
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
        this.values[index] = this.combine(before, hit, finder, event);
      }
    }
  }

  /** @returns `before` for a hit that does not count */
  protected abstract combine(
    before: Value | undefined,
    hit: unknown,
    finder: Finder,
    event: object,
  ): Value | undefined;
}

/** The text at the first of the places that holds one. */
export class TextCollector extends Collector<string> {
  readonly #maxLength: number;

  constructor(places: Places | undefined, maxLength = MAX_TEXT_LENGTH) {
    super(places);
    this.#maxLength = maxLength;
  }

  /** The end of it, with a mark, if it is longer than the limit. */
  get value(): string | undefined {
    const text = this.values.find((each) => each !== undefined && each !== '');
    return text === undefined || text.length <= this.#maxLength
      ? text
      : `${cutMark('characters', this.#maxLength)}${lastText(text, this.#maxLength)}`;
  }

  protected combine(before: string | undefined, hit: unknown, { take }: Finder): string {
    const text = typeof hit === 'string' ? hit : JSON.stringify(hit);
    // One character more than is kept, so that a cut is noticed.
    const kept = this.#maxLength + 1;
    if (take !== 'join') return text.slice(-kept);
    const joined = `${before ?? ''}${text}`;
    // Not at every hit, because each cut copies the rest.
    return joined.length > 2 * kept ? joined.slice(-kept) : joined;
  }
}

/** What stands before a text whose beginning is missing. */
export function cutMark(unit: 'bytes' | 'characters', kept: number): string {
  return `[The beginning is missing: only the last ${kept} ${unit} are kept.]\n`;
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

  protected combine(
    before: number | undefined,
    hit: unknown,
    { take, terms }: Finder,
    event: object,
  ): number | undefined {
    if (!isCount(hit)) return before;
    let value = hit;
    for (const { path, sign } of terms)
      for (const term of valuesAt(event, path)) if (isCount(term)) value += sign * term;
    value = Math.max(value, 0);
    return take === 'sum' ? (before ?? 0) + value : value;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

export const USAGE_KEYS = [...TOKEN_KEYS, 'cost_usd'] as const;
export type FoundUsage = { readonly [Key in (typeof USAGE_KEYS)[number]]?: FoundNumber | undefined } & {
  readonly model?: string | undefined;
};

/**
 * What this attempt has used. A program that counts its whole session includes the earlier attempts.
 * @param before what the earlier attempts of the session have used
 * @param model the model that the program was told to use
 */
export function usageOf(
  found: FoundUsage,
  before: ReportedUsage | undefined,
  model?: string,
): ReportedUsage | undefined {
  const usage: ReportedUsage = {};
  for (const key of USAGE_KEYS) {
    const number = found[key];
    const earlier = before?.[key];
    if (!number) continue;
    // A count below that of the earlier attempts has started again from zero.
    const includes = number.isCumulative && earlier !== undefined && number.value >= earlier;
    usage[key] = includes ? number.value - earlier : number.value;
  }
  const used = found.model ?? model;
  if (used !== undefined) usage.model = used;
  return Object.keys(usage).length === 0 ? undefined : usage;
}
