/**
 * Random edits of a stored log, through the server and in its files, with and without a snapshot, while Signalbox is
 * stopped and while it runs. `SIGNALBOX_LOG_EDITS` sets their number, `SIGNALBOX_LOG_SEED` the first seed.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_EDITS, FILE_EDITS } from '../../support/damage/edits.ts';
import { DamageLab, type Edit } from '../../support/damage/lab.ts';

const EDITS = Number(process.env.SIGNALBOX_LOG_EDITS ?? 24);
const SEED = Number(process.env.SIGNALBOX_LOG_SEED ?? 1);
/** Most of them wait. */
const AT_ONCE = 4;
const EDIT_MS = 60_000;

let lab: DamageLab;
beforeAll(async () => {
  lab = await DamageLab.create();
});
afterAll(() => lab[Symbol.asyncDispose]());

const KINDS = [...FILE_EDITS, ...API_EDITS];
const TIMES = ['stopped', 'running', 'restart', 'stopped'] as const;

function editOf(index: number): Edit {
  return {
    seed: SEED + index,
    kind: KINDS[index % KINDS.length] ?? 'flip',
    when: TIMES[Math.floor(index / KINDS.length) % TIMES.length] ?? 'stopped',
    snapshot: index % 5 !== 4,
  };
}

it(
  `journal/high-water-mark: ${EDITS} random edits of the log are refused or reported, and nothing is appended`,
  async () => {
    const edits = Array.from({ length: EDITS }, (_, index) => editOf(index));
    const wrong: object[] = [];
    const counts: Record<string, number> = {};
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let edit = edits.shift(); edit; edit = edits.shift()) {
          const { done, outcome } = await lab.outcomeOf(edit);
          if (process.env.SIGNALBOX_LOG_EDITS)
            process.stderr.write(`${edit.seed} ${edit.when} ${done}: ${outcome}\n`);
          counts[outcome] = (counts[outcome] ?? 0) + 1;
          if (outcome !== 'refused' && outcome !== 'reported') wrong.push({ ...edit, done, outcome });
        }
      }),
    );
    expect(wrong, JSON.stringify(counts)).toEqual([]);
  },
  EDITS * EDIT_MS,
);
