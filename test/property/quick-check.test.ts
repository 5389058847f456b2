import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declarationOf, EVENT_TYPES } from '../../src/contracts/events/events.ts';
import { quickCheck } from '../../src/journal/codec/quick-check.ts';
import { EVENTS } from '../support/history/event-arbitraries.ts';

/** A value that is almost right: something in it is gone, replaced or too much. */
function damaged(value: unknown): fc.Arbitrary<unknown> {
  if (value === null || typeof value !== 'object') return fc.constantFrom(null, 'x', -1, 0.5, true, [], {});
  const keys = Object.keys(value);
  const without = fc.constantFrom(...keys, 'none').map((key) => {
    return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));
  });
  const withMore = fc.constant({ ...value, surplus: 1 });
  if (keys.length === 0) return withMore;
  const within = fc
    .constantFrom(...keys)
    .chain((key) => damaged(value[key as never]).map((inner) => ({ ...value, [key]: inner })));
  return fc.oneof(without, withMore, within);
}

describe('the quick check', () => {
  it.each(EVENT_TYPES)('accepts exactly what zod accepts: %s', (type) => {
    const schema = declarationOf(type).schema;
    const check = quickCheck(schema);
    const events = EVENTS.get(type);
    if (!events) throw new Error(`no arbitrary for ${type}`);
    fc.assert(
      fc.property(
        events.chain((event) => fc.oneof(fc.constant<unknown>(event), damaged(event))),
        (value) => {
          // As it stands in the log, where nothing is undefined.
          const json: unknown = JSON.parse(JSON.stringify(value));
          expect(check(json)).toBe(schema.safeParse(json).success);
        },
      ),
      { numRuns: 40 },
    );
  });
});
