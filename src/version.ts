/** The version of the package, and where its files are. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The folder that holds package.json: the same from the sources and from `dist/`. */
export const PACKAGE_ROOT: string = folderWith('package.json');

/**
 * The folder whose `src/` is run: the package itself from its sources, otherwise `dist/`, also for the bundled command
 * line in `dist/cli/`.
 */
export const CODE_ROOT: string = folderWith('src/version.ts', 'src/version.js');

export const VERSION: string = readVersion();

/** The nearest folder above; a program that bundles the library has none, and only its own folder. */
function folderWith(...files: readonly string[]): string {
  for (let folder = HERE; ; folder = dirname(folder)) {
    if (files.some((file) => existsSync(join(folder, file)))) return folder;
    if (folder === dirname(folder)) return HERE;
  }
}

function readVersion(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
