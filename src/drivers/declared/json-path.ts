/**
 * The small language by which a driver says where in a program's JSON something is.
 *
 *     path         result.payloads[isError!=true].text    keys with dots; [] for every item, [0] for one, [key=word] for some
 *     condition    type=result & is_error!=true           terms with " & ": all of them hold
 *     term         path | !path | path=word | path=word|word | path!=word
 *
 * A path can select several values, or none. `$` is the value itself. Words are compared as text. Evaluation is bounded:
 * each step visits every value at most once, and nothing is evaluated as code or as a regular expression. Why this is not
 * RFC 9535 or JMESPath: docs/decisions/0010-own-path-language.md.
 */

export type Step =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'each' }
  | { readonly kind: 'item'; readonly index: number }
  | { readonly kind: 'some'; readonly term: Term };

export type JsonPath = readonly Step[];

export interface Term {
  readonly path: JsonPath;
  readonly test: 'exists' | 'is_missing' | 'is' | 'is_not';
  readonly words: readonly string[];
}

export type Condition = readonly Term[];

const TOKEN = /([A-Za-z0-9_$-]+)|\[([^\]]*)\]/y;

/** @throws Error that says what is wrong, and at which character */
export function parsePath(text: string): JsonPath {
  if (text === '$') return [];
  const steps: Step[] = [];
  let position = 0;
  while (position < text.length) {
    if (text[position] === '.' && position > 0) position++;
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (!match) {
      throw new Error(`the path ${JSON.stringify(text)} is not valid at character ${position + 1}`);
    }
    const [all, name, inBrackets] = match;
    steps.push(name === undefined ? bracketed(inBrackets ?? '') : { kind: 'key', name });
    position += all.length;
  }
  if (steps.length === 0) throw new Error('the path is empty: write $ for the value itself');
  return steps;
}

function bracketed(text: string): Step {
  if (text === '') return { kind: 'each' };
  if (/^\d+$/.test(text)) return { kind: 'item', index: Number(text) };
  return { kind: 'some', term: parseTerm(text) };
}

/** @throws Error that says what is wrong */
export function parseCondition(text: string): Condition {
  return text.split(' & ').map((term) => parseTerm(term.trim()));
}

function parseTerm(text: string): Term {
  const match = /^(.*?)(!=|=)([^=]*)$/.exec(text);
  if (match) {
    const [, path = '', sign, words = ''] = match;
    return { path: parsePath(path), test: sign === '=' ? 'is' : 'is_not', words: words.split('|') };
  }
  const isNot = text.startsWith('!');
  return {
    path: parsePath(isNot ? text.slice(1) : text),
    test: isNot ? 'is_missing' : 'exists',
    words: [],
  };
}

/** All values that the path selects. */
export function valuesAt(value: unknown, path: JsonPath): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const step of path) found = found.flatMap((each) => stepInto(each, step));
  return found;
}

function stepInto(value: unknown, step: Step): readonly unknown[] {
  switch (step.kind) {
    case 'key':
      return typeof value === 'object' && value !== null && Object.hasOwn(value, step.name)
        ? [Reflect.get(value, step.name)]
        : [];
    case 'item':
      return Array.isArray(value) && step.index < value.length ? [value[step.index]] : [];
    case 'each':
      return Array.isArray(value) ? value : [];
    case 'some':
      return Array.isArray(value) ? value.filter((each) => holdsTerm(each, step.term)) : [];
  }
}

export function holds(value: unknown, condition: Condition): boolean {
  return condition.every((term) => holdsTerm(value, term));
}

function holdsTerm(value: unknown, { path, test, words }: Term): boolean {
  const found = valuesAt(value, path);
  const exists = (): boolean => found.some((each) => each !== undefined && each !== null && each !== false);
  const isWord = (): boolean => found.some((each) => words.includes(String(each)));
  switch (test) {
    case 'exists':
      return exists();
    case 'is_missing':
      return !exists();
    case 'is':
      return isWord();
    case 'is_not':
      return !isWord();
  }
}
