import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Neither processes nor servers, nor state of the process: their files may share the modules that they load. */
const PURE = ['unit/**', 'property/**', 'integration/supervision-*'].map((files) => `test/${files}.test.ts`);

export default defineConfig({
  // Examples import the package by its name: here they get its sources.
  resolve: { alias: { 'signalbox/replay': fileURLToPath(new URL('src/replay/index.ts', import.meta.url)) } },
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: real servers and real processes beside the tests need one of them.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      { extends: true, test: { name: 'real', include: ['test/**/*.test.ts'], exclude: PURE } },
    ],
  },
});
