import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queues } from '../../projections/index.ts';
import type { StoredRecord } from '../../src/contracts/events/events.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { QUEUES } from '../support/history/random-history.ts';

const step = fc.record({
  type: fc.constantFrom('queue.paused' as const, 'queue.resumed' as const),
  queue: fc.constantFrom(...QUEUES),
  reason: fc.option(fc.string(), { nil: undefined }),
  actor: fc.constantFrom('user:ann', 'supervisor'),
});

it('the paused queues of the projection are those of the machines after any decisions', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (all) => {
      const host = new ActorHost();
      const state = queues.initial();
      const last = new Map<string, object>();
      for (const [index, { actor, ...event }] of all.entries()) {
        const wasPaused = host.get('queue', event.queue)?.state === 'paused';
        let transitions: StoredRecord['transitions'];
        try {
          transitions = host.apply(event);
        } catch (error) {
          expect(error).toMatchObject({ code: 'illegal_transition' });
          expect(wasPaused).toBe(event.type === 'queue.paused');
          continue;
        }
        expect(wasPaused).toBe(event.type === 'queue.resumed');
        const envelope = {
          id: `e${index}`,
          sequence: index + 1,
          cause: undefined,
          previousHash: '',
          left: 0,
        };
        queues.evolve(state, { ...envelope, time: index, actor, event, transitions });
        const { queue, reason = null } = event;
        last.set(queue, { queue, since: index, by: actor.replace('user:', ''), reason });
        for (const each of QUEUES) {
          const isPaused = host.get('queue', each)?.state === 'paused';
          expect(state.paused.get(each)).toEqual(isPaused ? last.get(each) : undefined);
        }
        expect(queues.restore(queues.toJSON(state))).toEqual(state);
      }
    }),
    { numRuns: 300 },
  );
});
