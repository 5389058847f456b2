/** Puts the arguments of a declared driver together. */
import type { Arguments } from '../spec/driver-spec.ts';

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

/** Values of placeholders; null for an option without one. A name that is not in it is no placeholder. */
export type ArgumentValues = Readonly<Record<string, string | null>>;

/**
 * @param extra the agent's own arguments: they stand where `{args}` does, else at the end
 */
export function fillArguments(args: Arguments, values: ArgumentValues, extra: readonly string[]): string[] {
  const hasPlace = args.includes('{args}');
  const filled = args.flatMap((each): readonly string[] => {
    if (each === '{args}') return extra;
    if (typeof each === 'string') return [fill(each, values)];
    return each.some((word) => lacksValue(word, values)) ? [] : each.map((word) => fill(word, values));
  });
  return hasPlace ? filled : [...filled, ...extra];
}

function fill(word: string, values: ArgumentValues): string {
  return word.replaceAll(PLACEHOLDER, (all, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : all,
  );
}

function lacksValue(word: string, values: ArgumentValues): boolean {
  return [...word.matchAll(PLACEHOLDER)].some(
    ([, name = '']) => Object.hasOwn(values, name) && values[name] === null,
  );
}
