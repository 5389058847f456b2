/** Collects from a stream of events what stands at the places that a driver names. Keeps little of it. */
import type { Places } from '../spec/driver-spec.ts';
import {
  type Condition,
  holds,
  type JsonPath,
  parseCondition,
  parsePath,
  valuesAt,
} from '../spec/json-path.ts';

/** Characters of a text that are kept: the newest, since an answer stands at the end. */
const TEXT_MAX = 256 * 1_024;

interface Finder {
  readonly path: JsonPath;
  readonly when: Condition | null;
  readonly take: 'last' | 'first' | 'join' | 'sum';
  readonly isCumulative: boolean;
}

export function findersOf(places: Places | undefined): readonly Finder[] {
  if (places === undefined) return [];
  return (Array.isArray(places) ? places : [places]).map((place) => {
    const {
      path,
      when,
      take = 'last',
      cumulative = false,
    } = typeof place === 'string' ? { path: place } : place;
    return {
      path: parsePath(path),
      when: when === undefined ? null : parseCondition(when),
      take,
      isCumulative: cumulative,
    };
  });
}

function* hits(finder: Finder, event: object): Iterable<unknown> {
  if (finder.when !== null && !holds(event, finder.when)) return;
  for (const value of valuesAt(event, finder.path)) if (value !== null && value !== undefined) yield value;
}

/** What is found at the first of these places that holds a text. */
export class TextCollector {
  readonly #finders: readonly Finder[];
  readonly #found: (string | undefined)[];

  constructor(places: Places | undefined) {
    this.#finders = findersOf(places);
    this.#found = this.#finders.map(() => undefined);
  }

  see(event: object): void {
    for (const [index, finder] of this.#finders.entries()) {
      for (const value of hits(finder, event)) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const before = this.#found[index];
        if (finder.take === 'first' && before !== undefined) continue;
        this.#found[index] =
          finder.take === 'join' ? shortened(`${before ?? ''}${text}`) : text.slice(-TEXT_MAX);
      }
    }
  }

  get value(): string | undefined {
    return this.#found.find((text) => text !== undefined && text !== '')?.slice(-TEXT_MAX);
  }
}

/** Cut seldom: each cut copies what is left. */
function shortened(text: string): string {
  return text.length > 2 * TEXT_MAX ? text.slice(-TEXT_MAX) : text;
}

export interface FoundNumber {
  readonly value: number;
  /** Counts the whole session. */
  readonly isCumulative: boolean;
}

/** What is found at the first of these places that holds a number. */
export class NumberCollector {
  readonly #finders: readonly Finder[];
  readonly #found: (number | undefined)[];

  constructor(places: Places | undefined) {
    this.#finders = findersOf(places);
    this.#found = this.#finders.map(() => undefined);
  }

  see(event: object): void {
    for (const [index, finder] of this.#finders.entries()) {
      for (const value of hits(finder, event)) {
        if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) continue;
        const before = this.#found[index];
        if (finder.take === 'first' && before !== undefined) continue;
        this.#found[index] = finder.take === 'sum' ? (before ?? 0) + value : value;
      }
    }
  }

  get found(): FoundNumber | undefined {
    const index = this.#found.findIndex((value) => value !== undefined);
    const value = this.#found[index];
    return value === undefined
      ? undefined
      : { value, isCumulative: this.#finders[index]?.isCumulative ?? false };
  }
}
