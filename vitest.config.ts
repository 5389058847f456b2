/** `quick` is what `npm run check` and `npm run test:watch` run, `servers` needs a nats-server, `alone` a process for each file. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Tests without a server and without the built program. */
const QUICK = ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts'];

/** Tests that measure their own process. */
const ALONE = ['test/integration/cli/quiet-memory.test.ts'];

export default defineConfig({
  // Examples import the package by its name: here they get its sources.
  resolve: {
    alias: { 'signalbox/replay': fileURLToPath(new URL('src/engine/replay/index.ts', import.meta.url)) },
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Test files leave nothing behind in the process that runs them: they share it, and the modules it has loaded.
    isolate: false,
    // Most tests wait for servers and processes of their own: three keep two cores busy.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'quick', include: QUICK } },
      {
        extends: true,
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts'],
          exclude: [...QUICK, ...ALONE],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, isolate: true } },
    ],
  },
});
