/** Placeholders in the texts of a template. It needs no schema, so that the dashboard can load it. */

const PLACEHOLDER = /\{\{(\w+)\}\}/g;

/** A value with `{{name}}` replaced in all its texts, at any depth; a name without a value stays as it is. */
export function filled<Value>(value: Value, values: Readonly<Record<string, string>>): Value {
  const walk = (part: unknown): unknown => {
    if (typeof part === 'string')
      return part.replace(PLACEHOLDER, (whole, name: string) =>
        Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
      );
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, walk(each)]));
  };
  return walk(value) as Value;
}

/** The names in the texts of a value, each once. */
export function placeholdersIn(value: unknown): readonly string[] {
  const text = JSON.stringify(value) ?? '';
  return [...new Set(Array.from(text.matchAll(PLACEHOLDER), ([, name = '']) => name))];
}
