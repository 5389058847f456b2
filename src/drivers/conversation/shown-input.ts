/** How the input of a tool is shown in a question: whole in what decides, cut in what may be long. */
import { cutText } from '../../base/text/cut-text.ts';
import { isDecisive } from '../../contracts/questions.ts';

type Input = Readonly<Record<string, unknown>>;

/** Characters of one text of an input that are shown; a file that is written can have any size. */
const MAX_SHOWN = 20_000;
const MAX_WHOLE = 60_000;

/** A field that decides what happens is not cut: such a question is refused for its size. */
function isTooLargeToShow(input: Input): boolean {
  return Object.entries(input).some(
    ([name, value]) => isDecisive(name) && JSON.stringify(value ?? '').length > MAX_WHOLE,
  );
}

export function hasDecisive(input: Input): boolean {
  return Object.keys(input).some(isDecisive);
}

/** The input with long texts cut, other than those that decide what happens: without one, all of it does. */
export function shownInput(input: Input): Input {
  if (isTooLargeToShow(input) || !hasDecisive(input)) return input;
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, isDecisive(name) ? value : shown(value)]),
  );
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return cutShown(value);
  const json = JSON.stringify(value) ?? '';
  return json.length > MAX_SHOWN ? cutShown(json) : value;
}

export function cutShown(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  const shown = cutText(text, MAX_SHOWN);
  return `${shown}… (${text.length - shown.length} more characters)`;
}
