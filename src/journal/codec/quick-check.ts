/**
 * A quick check whether a value has the form of a schema.
 *
 * Reading a log checks every event, and zod takes longer for that than everything else about an event. ajv compiles the
 * schema's JSON Schema to code that is some twenty times as fast (docs/explanation/performance.md). The quick check
 * says yes only if zod would; if it says no, zod is asked, and explains.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';

/** The schemas come from zod: checking them against the meta-schema would take longer than the rest of a start. */
const ajv = new Ajv2020({ strict: true, meta: false, validateSchema: false });

/** Compiles on first use: a log rarely holds every type of event. */
export function quickCheck<Value>(schema: z.ZodType<Value>): (value: unknown) => value is Value {
  let check: ValidateFunction<Value> | undefined;
  return (value): value is Value => {
    check ??= ajv.compile<Value>(z.toJSONSchema(schema, { io: 'input' }));
    return check(value);
  };
}
