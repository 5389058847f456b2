/** The invariants of src/journal/journal.ts, tested for every implementation. */
import { describe } from 'vitest';
import { describeTheEnd } from './ending.ts';
import { describeFencing, describeOtherLogs, describeTakeOver } from './fencing.ts';
import type { FreshLog } from './log-under-test.ts';
import { describeGaps, describeReading } from './reading.ts';
import { describeNothingGivenUp, describeOrder } from './writing.ts';

export function describeJournal(name: string, freshLog: FreshLog): void {
  describe(`the invariants of the ${name} journal`, () => {
    describeOrder(freshLog);
    describeTakeOver(freshLog);
    describeFencing(freshLog);
    describeNothingGivenUp(freshLog);
    describeOtherLogs(freshLog);
    describeTheEnd(freshLog);
    describeReading(freshLog);
    describeGaps(freshLog);
  });
}
