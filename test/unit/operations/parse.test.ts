/** The messages of faults in requests. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parse } from '../../../src/operations/parse.ts';

const schema = z.strictObject({
  title: z.string().min(1).max(5),
  seconds: z.number().min(0).max(10).optional(),
  above: z.number().positive().optional(),
  at: z.iso.datetime().optional(),
  kind: z.enum(['agent', 'type', 'none']).optional(),
  list: z.array(z.string()).min(2).optional(),
  own: z.string('give a name').optional(),
});

describe('a fault in a request says what is expected', () => {
  it.each([
    [{}, 'body: title: is missing'],
    [{ title: 3 }, 'body: title: expected text'],
    [{ title: '' }, 'body: title: expected text of at least 1 character'],
    [{ title: 'abcdef' }, 'body: title: expected text of at most 5 characters'],
    [{ title: 'a', seconds: -1 }, 'body: seconds: expected a number of at least 0'],
    [{ title: 'a', seconds: 11 }, 'body: seconds: expected a number of at most 10'],
    [{ title: 'a', seconds: Number.NaN }, 'body: seconds: expected a number'],
    [{ title: 'a', above: 0 }, 'body: above: expected a number above 0'],
    [{ title: 'a', at: 'tomorrow' }, 'body: at: expected a time such as 2030-01-31T12:00:00Z'],
    [{ title: 'a', kind: 'x' }, 'body: kind: expected agent, type or none'],
    [{ title: 'a', list: ['b'] }, 'body: list: expected a list of at least 2'],
    [{ title: 'a', own: 3 }, 'body: own: give a name'],
    [{ title: 'a', other: 3 }, 'body: other: is not a known field'],
  ])('%j', (value, message) => {
    expect(() => parse(schema, value, 'body')).toThrow(message);
  });
});
