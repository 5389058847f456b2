/**
 * Arbitrary events of every type, made from the same schemas that the log is read with: a new type or field is covered
 * by itself.
 */
import fc from 'fast-check';
import { z } from 'zod';
import {
  type DomainEvent,
  declarationOf,
  EVENT_TYPES,
  type EventType,
} from '../../../src/contracts/events/events.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Text that breaks careless code, besides ordinary and random text. */
const AWKWARD = [
  '',
  ' ',
  '"quoted" \\ \'single\'',
  '任务:审查代码',
  '🚦\u200d',
  '\u0000\u001f\u2028\r\n',
  '\ud800',
  '<b>&amp;</b>',
  'null',
  '{"type":"task.created"}',
];

export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(...AWKWARD),
);

/** zod leaves this one out wherever something comes in, so no event has it. */
const key = text.filter((name) => name !== '__proto__');

function keysOf({ propertyNames }: JsonSchema): fc.Arbitrary<string> {
  const { minLength = 0 } = typeof propertyNames === 'object' ? propertyNames : {};
  return key.filter((name) => name.length >= minLength);
}

const MAX_ITEMS = 2;
/** How deep a schema that holds itself is followed. */
const MAX_DEPTH = 2;

function eventOfType(type: EventType): fc.Arbitrary<DomainEvent> {
  const schema = z.toJSONSchema(declarationOf(type).schema, { io: 'output' });
  return arbitraryOf(schema, schema, 0) as fc.Arbitrary<DomainEvent>;
}

/** One arbitrary for each type, in the order of the vocabulary. */
export const EVENTS: ReadonlyMap<EventType, fc.Arbitrary<DomainEvent>> = new Map(
  EVENT_TYPES.map((type) => [type, eventOfType(type)]),
);

function arbitraryOf(schema: JsonSchema, root: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return arbitraryOf(definitionOf(schema.$ref, root), root, depth + 1);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    return fc.oneof(...branches.map((each) => arbitraryOf(each as JsonSchema, root, depth)));
  }
  // zod writes a nullable text like this.
  const types: unknown = schema.type;
  if (Array.isArray(types))
    return fc.oneof(...types.map((type) => arbitraryOf({ ...schema, type } as JsonSchema, root, depth)));
  switch (schema.type) {
    case undefined:
      // JSON has no negative zero.
      return fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)));
    case 'string':
      return schema.pattern === undefined
        ? text.filter((value) => value.length >= (schema.minLength ?? 0))
        : fc.stringMatching(new RegExp(schema.pattern), { maxLength: 64 });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1e15, 1e15) });
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(arbitraryOf((schema.items ?? {}) as JsonSchema, root, depth), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, depth < MAX_DEPTH ? MAX_ITEMS : 0),
      });
    case 'object':
      return schema.properties === undefined
        ? fc.dictionary(
            keysOf(schema),
            arbitraryOf((schema.additionalProperties ?? {}) as JsonSchema, root, depth),
            {
              maxKeys: MAX_ITEMS,
              noNullPrototype: true,
            },
          )
        : objectOf(schema.properties, schema, root, depth);
    default:
      throw new Error(`no arbitrary for ${JSON.stringify(schema)}`);
  }
}

function numberOf({ minimum, exclusiveMinimum, maximum = 1e15 }: JsonSchema): fc.Arbitrary<number> {
  const above = typeof exclusiveMinimum === 'number' ? exclusiveMinimum : undefined;
  return fc
    .double({ min: minimum ?? above ?? -1e15, max: maximum, minExcluded: above !== undefined, noNaN: true })
    .map((value) => (Object.is(value, -0) ? 0 : value));
}

function objectOf(
  properties: Record<string, unknown>,
  { required = [] }: JsonSchema,
  root: JsonSchema,
  depth: number,
): fc.Arbitrary<unknown> {
  // Where the schema holds itself, its end is reached by leaving out what is optional.
  const names = Object.keys(properties).filter((name) => depth < MAX_DEPTH || required.includes(name));
  const fields = names.map(
    (name) => [name, arbitraryOf(properties[name] as JsonSchema, root, depth)] as const,
  );
  return fc.record(Object.fromEntries(fields), { requiredKeys: required, noNullPrototype: true });
}

function definitionOf(reference: string, root: JsonSchema): JsonSchema {
  const path = reference.split('/').slice(1);
  const found = path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root);
  if (found === undefined) throw new Error(`the schema has no ${reference}`);
  return found as JsonSchema;
}
