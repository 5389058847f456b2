/** The arguments of a program, with the values of their placeholders. */
import type { Arguments } from './spec.ts';

const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/g;

/** Values of placeholders; null for an option without one. Other names in braces are not placeholders. */
export type ArgumentValues = Readonly<Record<string, string | null>>;

/** @param extra the agent's own arguments, which replace `{args}`; without it they come last */
export function fillArguments(args: Arguments, values: ArgumentValues, extra: readonly string[]): string[] {
  const filled = args.flatMap((each): readonly string[] => {
    if (each === '{args}') return extra;
    if (typeof each === 'string') return [fill(each, values)];
    return each.some((word) => lacksValue(word, values)) ? [] : each.map((word) => fill(word, values));
  });
  return args.includes('{args}') ? filled : [...filled, ...extra];
}

/** Without the entries in which an option has no value. */
export function fillValues(
  texts: Readonly<Record<string, string>>,
  values: ArgumentValues,
): Record<string, string> {
  const filled = Object.entries(texts).filter(([, text]) => !lacksValue(text, values));
  return Object.fromEntries(filled.map(([name, text]) => [name, fill(text, values)]));
}

function fill(argument: string, values: ArgumentValues): string {
  return argument.replaceAll(PLACEHOLDER, (all, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : all,
  );
}

function lacksValue(argument: string, values: ArgumentValues): boolean {
  return [...argument.matchAll(PLACEHOLDER)].some(
    ([, name = '']) => Object.hasOwn(values, name) && values[name] === null,
  );
}
