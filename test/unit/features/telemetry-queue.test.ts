import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../../src/features/telemetry/span.ts';
import { SpanQueue } from '../../../src/features/telemetry/span-queue.ts';

const span = (name: string): Span => ({
  context: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), flags: 1, state: undefined },
  parentSpanId: null,
  name,
  kind: 'internal',
  start: 0,
  end: 0,
  attributes: {},
  events: [],
  droppedEvents: 0,
  links: [],
  droppedLinks: 0,
  hasFailed: false,
});

describe('the queue of spans', () => {
  it('has a position before the first record with a waiting span, in any order of calls', () => {
    const records = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 30 });
    const takes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(records, takes, fc.infiniteStream(fc.boolean()), (counts, sizes, coins) => {
        const queue = new SpanQueue(1_000, 0);
        const done = new Set<string>();
        let last = 0;
        const check = (): void => {
          for (let sequence = 1; sequence <= queue.position; sequence++) {
            for (let number = 0; number < (counts[sequence - 1] ?? 0); number++)
              expect(done).toContain(`${sequence}/${number}`);
          }
          expect(queue.position).toBeLessThanOrEqual(last);
          if (queue.size === 0) expect(queue.position).toBe(last);
        };
        const pending = [...sizes];
        for (const [index, count] of counts.entries()) {
          last = index + 1;
          queue.push(
            last,
            Array.from({ length: count }, (_, number) => span(`${last}/${number}`)),
          );
          check();
          if (!coins.next().value) continue;
          const taken = queue.peek(pending.pop() ?? 1);
          for (const { name } of taken) done.add(name);
          queue.done(taken.length);
          check();
        }
      }),
    );
  });

  it('is full at its limit, and reports changes to readers that wait for space or spans', async () => {
    const queue = new SpanQueue(2, 7);
    expect(queue.position).toBe(7);
    const change = queue.changed();
    queue.push(8, [span('a')]);
    await change;
    expect(queue.isFull).toBe(false);
    queue.push(9, [span('b'), span('c')]);
    expect(queue.isFull).toBe(true);
    expect(queue.peek(2).map(({ name }) => name)).toEqual(['a', 'b']);
    const room = queue.changed();
    queue.done(2);
    await room;
    expect({ isFull: queue.isFull, size: queue.size, position: queue.position }).toEqual({
      isFull: false,
      size: 1,
      position: 8,
    });
  });
});
