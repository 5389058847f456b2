/** The simulation must notice when the commit order is broken: each mutant within 100 seeds. */
import { describe, expect, it } from 'vitest';
import { actsTooEarly, answersTooEarly, ignoresOtherWriters } from '../support/simulation/broken-journals.ts';
import type { JournalFactory } from '../support/simulation/node.ts';
import { playScenario } from '../support/simulation/scenario.ts';

const SEEDS = 100;

/** What the first seed that fails says; null if all of them pass. */
async function firstFinding(openJournal: JournalFactory): Promise<string | null> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      await playScenario(seed, openJournal);
    } catch (error) {
      return `seed ${seed}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return null;
}

describe('a mutant is found', () => {
  it('commit-order/visible-after-ack: when callers are answered before their event is stored', {
    timeout: 120_000,
  }, async () => {
    expect(await firstFinding(answersTooEarly)).toMatch(/was answered and is not in the log/);
  });

  it('supervision/acts-on-stored-records: when effects run before their event is stored', {
    timeout: 120_000,
  }, async () => {
    expect(await firstFinding(actsTooEarly)).toMatch(/is visible, the log ends|before its claim was stored/);
  });

  it('journal/one-writer: when no journal checks for another writer', { timeout: 120_000 }, async () => {
    expect(await firstFinding(ignoresOtherWriters)).toMatch(
      /hash chain|event \d+ |is seen as .* the log says/,
    );
  });
});
