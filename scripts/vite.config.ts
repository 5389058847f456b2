/**
 * Builds the command line: a few files with everything in them, since loading hundreds of small ones takes most of the
 * time of a short command. The library in `dist/src/` stays as the compiler writes it.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Loads files of its own by their path, for its threads. */
const LOADS_ITS_FILES = ['pino'];

export default defineConfig({
  root: here('..'),
  publicDir: false,
  build: {
    ssr: here('../src/cli/main.ts'),
    outDir: here('../dist/cli'),
    emptyOutDir: true,
    target: 'node20',
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      output: { entryFileNames: 'main.js', chunkFileNames: 'parts/[name]-[hash].js' },
    },
  },
  ssr: { noExternal: true, external: LOADS_ITS_FILES },
});
