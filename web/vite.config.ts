/** Builds the dashboard. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { COPIED_FIELDS, FIELD_LABELS } from '../src/contracts/task-fields.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page needs the names and labels of task fields, but not their schemas: they would double its size. */
const labelsOnly: Plugin = {
  name: 'labels-only',
  load: (id) =>
    id === here('../src/contracts/task-fields.ts')
      ? `export const FIELD_LABELS = ${JSON.stringify(FIELD_LABELS)}; export const COPIED_FIELDS = ${JSON.stringify(COPIED_FIELDS)};`
      : null,
};

export default defineConfig({
  root: here('.'),
  base: '/ui/',
  plugins: [labelsOnly],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's security policy refuses `data:` addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
