/** JSON that an agent prints at the end of other text. */

/** A refused line takes about 20 microseconds: an agent must not hold up others with a text of such lines. */
const MAX_LINES = 1_000;
const MARK = '`';

/**
 * What `accept` takes of the whole text as JSON, else of the last line that it takes, of the last 1,000. Marks of code are
 * left out.
 * @param accept returns null for a value that is not meant
 */
export function printedJson<Value>(text: string, accept: (value: unknown) => Value | null): Value | null {
  const whole = parsed(text, accept);
  if (whole !== null) return whole;
  for (const line of text.split('\n').slice(-MAX_LINES).toReversed()) {
    const value = parsed(line, accept);
    if (value !== null) return value;
  }
  return null;
}

function parsed<Value>(text: string, accept: (value: unknown) => Value | null): Value | null {
  const json = withoutMarks(text.trim()).trim();
  if (!json.startsWith('{') || !json.endsWith('}')) return null;
  try {
    return accept(JSON.parse(json));
  } catch {
    return null;
  }
}

/** Not by a regular expression: its time would grow with the square of a run of marks. */
function withoutMarks(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && text[from] === MARK) from++;
  while (to > from && text[to - 1] === MARK) to--;
  const hasLanguage = from > 0 && text.startsWith('json', from);
  return text.slice(hasLanguage ? from + 'json'.length : from, to);
}
