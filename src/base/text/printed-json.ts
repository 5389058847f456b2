/** JSON that an agent prints at the end of other text. */

/**
 * What `accept` takes of the whole text as JSON, else of the last line that it takes. Marks of code are left out.
 * @param accept returns null for a value that is not meant
 */
export function printedJson<Value>(text: string, accept: (value: unknown) => Value | null): Value | null {
  const whole = parsed(text, accept);
  if (whole !== null) return whole;
  for (const line of text.split('\n').toReversed()) {
    const value = parsed(line, accept);
    if (value !== null) return value;
  }
  return null;
}

function parsed<Value>(text: string, accept: (value: unknown) => Value | null): Value | null {
  const json = text
    .trim()
    .replace(/^`+(?:json)?|`+$/g, '')
    .trim();
  if (!json.startsWith('{') || !json.endsWith('}')) return null;
  try {
    return accept(JSON.parse(json));
  } catch {
    return null;
  }
}
