/** The values of forms: what fits a field, and whether anything does. */
import {
  type AnswerContent,
  type Form,
  type FormField,
  MAX_ANSWER_BYTES,
} from '../../../contracts/questions.ts';

/** Of the values of a form that can be asked for: an answer has room for a comment beside them. */
const MAX_ASKED_BYTES = MAX_ANSWER_BYTES / 2;

type Value = AnswerContent[string];
type TextField = Extract<FormField, { type: 'string' }>;
type NumberField = Extract<FormField, { type: 'number' | 'integer' }>;
type ListField = Extract<FormField, { type: 'array' }>;

/** Why the values do not fit the form; null if they do. */
export function faultOfContent({ properties, required = [] }: Form, content: AnswerContent): string | null {
  for (const name of required) if (!Object.hasOwn(content, name)) return `${name}: is missing`;
  for (const [name, value] of Object.entries(content)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!field) return `${name.slice(0, 100)}: is not a field of the form`;
    const fault = faultOfValue(field, value);
    if (fault !== null) return `${name}: ${fault}`;
  }
  return null;
}

/**
 * Why no answer fits the form; null if one does. It is found by making one: the shortest value of each field is checked
 * as that of a person would be.
 */
export function faultOfForm({ properties, required = [] }: Form): string | null {
  for (const [name, field] of Object.entries(properties)) {
    const fault = faultOfField(field);
    if (fault !== null) return `schema.properties.${name}: ${fault}`;
  }
  const unknown = required.find((name) => !Object.hasOwn(properties, name));
  if (unknown !== undefined) return `schema.required: there is no field ${JSON.stringify(unknown)}`;
  const shortest = Object.entries(properties).flatMap(([name, field]) =>
    required.includes(name) ? [[name, shortestFor(field)]] : [],
  );
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(shortest)));
  return bytes > MAX_ASKED_BYTES
    ? `schema: the shortest answer has ${bytes} bytes, and at most ${MAX_ASKED_BYTES} can be asked for`
    : null;
}

function faultOfField(field: FormField): string | null {
  if (field.type === 'string') {
    if (field.enum && field.oneOf) return 'give either "enum" or "oneOf"';
    if ((field.minLength ?? 0) > MAX_ASKED_BYTES)
      return `no answer fits: at most ${MAX_ASKED_BYTES} characters can be asked for`;
  }
  if (field.type === 'array' && (field.minItems ?? 0) > new Set(field.items.enum).size)
    return `no answer fits: it wants ${field.minItems} items, and has ${new Set(field.items.enum).size} choices`;
  const fault = faultOfValue(field, shortestFor(field));
  return fault === null ? null : `no answer fits: ${fault}`;
}

/** The shortest value that fits; if none does, one that does not. */
function shortestFor(field: FormField): Value {
  switch (field.type) {
    case 'boolean':
      return true;
    case 'number':
    case 'integer':
      return numberFor(field);
    case 'array':
      return itemsFor(field);
    case 'string':
      return textFor(field);
  }
}

function numberFor({ type, minimum, maximum }: NumberField): number {
  if (minimum !== undefined) return type === 'integer' ? Math.ceil(minimum) : minimum;
  if (maximum !== undefined) return type === 'integer' ? Math.floor(maximum) : maximum;
  return 0;
}

const byLength = (a: string, b: string): number => a.length - b.length;

function itemsFor({ items, minItems = 0 }: ListField): string[] {
  return [...new Set(items.enum)].sort(byLength).slice(0, minItems);
}

function textFor(field: TextField): string {
  const choices = choicesOf(field)?.toSorted(byLength);
  if (choices) return choices.find((each) => faultOfText(field, each) === null) ?? choices[0] ?? '';
  const least = field.minLength ?? 0;
  switch (field.format) {
    case undefined:
      return 'x'.repeat(least);
    case 'uri':
      return 'a:'.padEnd(Math.max(least, 3), 'x');
    case 'date':
      return '2000-01-01';
    case 'date-time':
      return least <= 20 ? '2000-01-01T00:00:00Z' : `${'2000-01-01T00:00:00.'.padEnd(least - 1, '0')}Z`;
    case 'email':
      return `${'x'.repeat(Math.min(Math.max(least - 2, 1), 64))}@`.padEnd(Math.max(least, 3), 'x');
  }
}

function choicesOf(field: TextField): string[] | undefined {
  return field.enum ?? field.oneOf?.map((each) => each.const);
}

function faultOfValue(field: FormField, value: Value): string | null {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'expected true or false';
    case 'number':
    case 'integer':
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'expected a number';
      if (field.type === 'integer' && !Number.isInteger(value)) return 'expected a whole number';
      return isOutside(value, field.minimum, field.maximum)
        ? `expected a number${rangeText(field.minimum, field.maximum)}`
        : null;
    case 'array':
      if (!Array.isArray(value)) return 'expected a list';
      if (isOutside(value.length, field.minItems, field.maxItems))
        return `expected a list${rangeText(field.minItems, field.maxItems)} items`;
      return value.every((each) => field.items.enum.includes(each))
        ? null
        : `expected only ${field.items.enum.join(', ')}`;
    case 'string':
      return typeof value === 'string' ? faultOfText(field, value) : 'expected text';
  }
}

const FORMATS: Readonly<Record<NonNullable<TextField['format']>, RegExp>> = {
  email: /^[^\s@]{1,64}@[^\s@]{1,255}$/,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/,
};

function faultOfText(field: TextField, value: string): string | null {
  const choices = choicesOf(field);
  if (choices && !choices.includes(value)) return `expected ${choices.join(', ')}`;
  if (isOutside(value.length, field.minLength, field.maxLength))
    return `expected text${rangeText(field.minLength, field.maxLength)} characters`;
  return field.format && !FORMATS[field.format].test(value) ? `expected the format ${field.format}` : null;
}

function isOutside(value: number, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): boolean {
  return value < min || value > max;
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min === undefined ? ` of at most ${max}` : ` of at least ${min}`;
}
