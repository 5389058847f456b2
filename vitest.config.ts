import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Folders whose files leave nothing behind in the process that runs them: they share it, with the modules it has loaded. */
const SHARED = [
  'contract',
  'histories',
  'property',
  'simulation',
  'unit',
  'integration/{audit,http,journal,nats,operations,replay,supervision,telemetry}',
].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  // Examples import the package by its name: here they get its sources.
  resolve: {
    alias: { 'signalbox/replay': fileURLToPath(new URL('src/engine/replay/index.ts', import.meta.url)) },
  },
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: real servers and real processes beside the tests need one of them.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: SHARED } },
    ],
  },
});
