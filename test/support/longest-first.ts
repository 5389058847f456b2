/** The order in which test files run: the longest first, so that the workers finish at about the same time. */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in this order. Vitest without a cache sorts by file size, which says little. */
const LONGEST = [
  'test/chaos/chaos.test.ts',
  'test/browser/page.test.ts',
  'test/integration/crash/soak.test.ts',
  'test/integration/nats/nats-cluster.test.ts',
  'test/integration/crash/standby.test.ts',
  'test/integration/process/process-adopt.test.ts',
  'test/integration/cli/cli-demo.test.ts',
  'test/integration/crash/crash-adoption.test.ts',
  'test/browser/demo.test.ts',
  'test/integration/process/process-spawn.test.ts',
  'test/integration/drivers/conformance.test.ts',
  'test/integration/nats/remote-loss.test.ts',
  'test/integration/journal/journal-cluster.test.ts',
];

/** Runs the files of `LONGEST` before all others. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
