/**
 * Random edits of a stored log, through the server and in its files, with and without a snapshot, while Signalbox is
 * stopped and while it runs. `SIGNALBOX_LOG_EDITS` sets their number, `SIGNALBOX_LOG_SEED` the first seed.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_EDITS, FILE_EDITS } from '../../support/damage/edits.ts';
import { DamageLab, type Edit } from '../../support/damage/lab.ts';

const EDITS = Number(process.env.SIGNALBOX_LOG_EDITS ?? 10);
const SEED = Number(process.env.SIGNALBOX_LOG_SEED ?? 1);
/** Most of them wait. */
const AT_ONCE = 7;
const EDIT_MS = 60_000;

let lab: DamageLab;
beforeAll(async () => {
  lab = await DamageLab.create();
});
afterAll(() => lab[Symbol.asyncDispose]());

// Every kind meets every time within their product, because their numbers have no common factor.
const KINDS = [...FILE_EDITS, ...API_EDITS];
const TIMES = ['stopped', 'running', 'restart'] as const;

function editOf(index: number): Edit {
  return {
    seed: SEED + index,
    kind: KINDS[index % KINDS.length] ?? 'flip',
    when: TIMES[index % TIMES.length] ?? 'stopped',
    snapshot: index % 5 !== 4,
  };
}

interface Outcome extends Edit {
  readonly done: string;
  readonly outcome: string;
  readonly ms: number;
}

async function outcomeOf(edit: Edit): Promise<Outcome> {
  const result = await lab.outcomeOf(edit).catch((error: unknown) => {
    return { done: 'nothing', outcome: String(error), ms: 0 };
  });
  const text = `${edit.seed} ${edit.when} ${edit.snapshot ? '' : 'no snapshot '}${result.done}: ${result.outcome}`;
  if (process.env.SIGNALBOX_LOG_EDITS) process.stderr.write(`${text} (${result.ms} ms)\n`);
  return { ...edit, ...result };
}

/** How many there were of each outcome, and the milliseconds until the report: median and most. */
function summaryOf(outcomes: readonly Outcome[]): string {
  const groups = new Map<string, number[]>();
  for (const { when, snapshot, outcome, ms } of outcomes) {
    const key = `${when}, ${snapshot ? 'snapshot' : 'no snapshot'}: ${outcome}`;
    groups.set(key, [...(groups.get(key) ?? []), ms]);
  }
  const lines = [...groups].sort().map(([key, times]) => {
    const sorted = times.sort((one, other) => one - other);
    return `${key}: ${times.length} (${sorted[Math.floor(sorted.length / 2)]}, ${sorted.at(-1)} ms)`;
  });
  return lines.join('\n');
}

it(
  `journal/high-water-mark: ${EDITS} random edits of the log are refused or reported, and nothing is appended`,
  async () => {
    const edits = Array.from({ length: EDITS }, (_, index) => editOf(index));
    const outcomes: Outcome[] = [];
    const work = async (): Promise<void> => {
      for (let edit = edits.shift(); edit; edit = edits.shift()) outcomes.push(await outcomeOf(edit));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const summary = summaryOf(outcomes);
    if (process.env.SIGNALBOX_LOG_EDITS) process.stderr.write(`${summary}\n`);
    const wrong = outcomes.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'reported');
    expect(wrong, summary).toEqual([]);
  },
  EDITS * EDIT_MS,
);
