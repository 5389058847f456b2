import fc from 'fast-check';
import { expect, it } from 'vitest';
import { agents } from '../../projections/index.ts';
import type { StoredRecord } from '../../src/contracts/events/events.ts';
import { attemptKey } from '../../src/contracts/ids.ts';
import { ActorHost } from '../../src/engine/runtime/actor-host.ts';
import { AGENTS, type Claims, eventOf, step } from '../support/history/random-history.ts';

const steps = fc.array(step, { maxLength: 120, size: 'max' });

it('the agents of the projection are those of the machines after any events', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const host = new ActorHost();
      const claims: Claims = new Map();
      const state = agents.initial();
      for (const [index, each] of all.entries()) {
        const event = eventOf(each, host, claims);
        let transitions: StoredRecord['transitions'];
        try {
          transitions = host.apply(event);
        } catch {
          continue;
        }
        if (event.type === 'task.claimed') {
          claims.set(attemptKey(event), event.agent);
        }
        const sequence = index + 1;
        const envelope = { id: `e${index}`, time: sequence, actor: 'user:ann', cause: undefined };
        agents.evolve(state, { ...envelope, sequence, previousHash: '', left: 0, event, transitions });
        for (const id of AGENTS) {
          const entity = host.get('agent', id);
          const view = state.byId.get(id);
          expect(view?.state).toBe(entity?.state);
          expect(view?.running).toBe(entity?.context.running);
          expect(view?.failures).toBe(entity?.context.failures);
          expect(view?.concurrency).toBe(entity?.context.concurrency);
          if (view?.state === 'parked') expect(view.parkedUntil).toBe(entity?.context.parkedUntil);
          if (view?.state === 'idle' || view?.state === 'busy') {
            expect(view).toMatchObject({ parkedUntil: null, reason: null, by: null });
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
