/** Random values of a JSON Schema, as far as the document uses it: what a client that reads it would send. */
import * as fc from 'fast-check';

type Schema = Readonly<Record<string, unknown>>;

/** @param resolve the schema that a `$ref` names */
export function valuesOf(schema: Schema, resolve: (ref: string) => Schema, depth = 0): fc.Arbitrary<unknown> {
  const of = (inner: unknown, deeper = depth + 1) => valuesOf(inner as Schema, resolve, deeper);
  if (typeof schema.$ref === 'string') return of(resolve(schema.$ref));
  if (Array.isArray(schema.anyOf)) return fc.oneof(...schema.anyOf.map((each) => of(each)));
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return objects(schema, of, depth);
    case 'array': {
      const { minItems = 0, maxItems = 3 } = schema as { minItems?: number; maxItems?: number };
      const maxLength = depth > 3 ? minItems : Math.max(minItems, Math.min(maxItems, 3));
      return fc.array(of(schema.items), { minLength: minItems, maxLength });
    }
    case 'integer': {
      const { min, max } = bounds(schema);
      return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
    }
    case 'number': {
      const { min, max } = bounds(schema);
      return fc.double({ min, max, noNaN: true });
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return strings(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objects(schema: Schema, of: (inner: unknown) => fc.Arbitrary<unknown>, depth: number) {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  const names = Object.keys(properties).filter((name) => depth < 4 || required.includes(name));
  const known = fc.record(Object.fromEntries(names.map((name) => [name, of(properties[name])])), {
    requiredKeys: required,
  });
  const { additionalProperties: others } = schema;
  if (names.length > 0 || typeof others !== 'object' || others === null) return known;
  return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), of(others), { maxKeys: 3 });
}

function bounds(schema: Schema): { min: number; max: number } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<
    string,
    number | undefined
  >;
  const min = minimum ?? (exclusiveMinimum === undefined ? -1_000 : exclusiveMinimum + 1e-3);
  const max = maximum ?? (exclusiveMaximum === undefined ? min + 1_000 : exclusiveMaximum - 1e-3);
  return { min, max: Math.min(max, min + 100_000) };
}

function strings({ pattern, format, minLength = 0, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    return fc
      .date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const least = Number(minLength);
  return fc.string({ minLength: least, maxLength: Math.max(least, Math.min(Number(maxLength), 30)) });
}
