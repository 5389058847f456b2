import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { releaseMemoryWhenQuiet } from '../../../src/cli/up/quiet-memory.ts';
import { until } from '../../support/until.ts';

const MB = 1_000_000;
const LOOK_MS = 50;

const heap = (): number => process.memoryUsage().heapTotal;

/** Makes the heap grow by unused memory. */
function waste(): void {
  const objects = Array.from({ length: 1_500_000 }, (_, index) => ({ index, text: `${index}` }));
  expect(objects).toHaveLength(1_500_000);
}

describe('unused memory', () => {
  it('is returned to the system when the server is idle, and not before', { timeout: 60_000 }, async () => {
    waste();
    const grown = heap();
    let turns = 0;
    const work = setInterval(() => {
      turns++;
      const end = performance.now() + LOOK_MS / 4;
      while (performance.now() < end);
    }, LOOK_MS / 2);
    const lines: string[] = [];
    const logger = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
    const stop = releaseMemoryWhenQuiet(logger, LOOK_MS);
    try {
      await until(() => turns >= 30, 'something happens all the time');
      expect(lines).toEqual([]);
      clearInterval(work);
      await until(() => lines.length > 0 && heap() < grown - 32 * MB, 'the heap is small again');
      expect(lines[0]).toContain('returned memory to the system');
    } finally {
      clearInterval(work);
      stop();
    }
  });
});
