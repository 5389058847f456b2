import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Examples import the package by its name: here they get its sources.
  resolve: { alias: { 'signalbox/replay': fileURLToPath(new URL('src/replay/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: real servers and real processes beside the tests need one of them.
    maxWorkers: 2,
  },
});
