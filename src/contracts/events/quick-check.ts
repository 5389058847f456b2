/**
 * A quick yes to the question whether a value has the form of a schema.
 *
 * Reading a log asks it of every event, and zod takes longer for that than everything else about an event. ajv makes
 * code of the schema's JSON Schema, which is some twenty times as fast (docs/explanation/performance.md).
 *
 * K1 It says yes only where zod would; a property test compares the two. Where it says no, zod is asked, and explains.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';

/** Our schemas are zod's own: to hold them against the schema of schemas would take longer than all else of a start. */
const ajv = new Ajv2020({ strict: true, meta: false, validateSchema: false });

/** Compiles when it is asked first: a log rarely holds every type of event. */
export function quickCheck<Value>(schema: z.ZodType<Value>): (value: unknown) => value is Value {
  let check: ValidateFunction<Value> | undefined;
  return (value): value is Value => {
    check ??= ajv.compile<Value>(z.toJSONSchema(schema, { io: 'input' }));
    return check(value);
  };
}
