import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newProjections, type PastStates } from '../../projections/index.ts';
import { Past } from '../../src/app/events/past.ts';
import { readRecords } from '../../src/journal/codec/cloud-event.ts';
import { Lived } from '../support/history/lived-history.ts';
import { PastOf } from '../support/history/past.ts';
import { step } from '../support/history/random-history.ts';

const steps = fc.array(step, { maxLength: 60, size: 'max' });
const signal = new AbortController().signal;

/** All that a board is made of. */
function shown({ blackboard, attempts, agents }: PastStates): string {
  return JSON.stringify([[...blackboard.tasks], blackboard.counts, [...attempts.byTask], [...agents.byId]]);
}

describe('the past', () => {
  it('shows at every moment what was visible then, in any order of reads, with few kept states', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.nat(), { minLength: 5, maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 6 }),
        async (all, visits, stride, frames) => {
          const records = new Lived(all).messages.flatMap(readRecords);
          const projections = newProjections();
          const boards = records.map((record) => {
            projections.evolve(record);
            return shown(projections);
          });
          const log = new PastOf(records);
          const past = new Past(log, { stride, frames });
          for (const visit of visits) {
            const sequence = 1 + (visit % records.length);
            const seen = await past.at({ kind: 'sequence', sequence }, signal, (state, record) => {
              expect(record.sequence).toBe(sequence);
              return shown(state);
            });
            expect(seen).toBe(boards[sequence - 1]);
          }
          log.close();
          expect(log.clock.pending).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
