import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in this order. The sizes of files, which Vitest goes by at first, say little of it. */
const LONGEST = [
  'test/chaos/chaos.test.ts',
  'test/integration/nats/nats-cluster.test.ts',
  'test/simulation/simulation.test.ts',
  'test/browser/page.test.ts',
  'test/integration/cli/cli-up.test.ts',
  'test/integration/crash/crash-nats.test.ts',
  'test/integration/nats/agent-messages.test.ts',
  'test/integration/crash/soak.test.ts',
  'test/integration/nats/remote-loss.test.ts',
  'test/integration/journal/journal-cluster.test.ts',
  'test/integration/crash/standby.test.ts',
  'test/integration/cli/cli-task.test.ts',
  'test/integration/features/background.test.ts',
];

/** A long file that begins last would be waited for alone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return index === -1 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
