import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MACHINE_NAMES } from '../../../machines/index.ts';
import { VERSION } from '../../version.ts';

/** Whose files decide what is in memory after an event. */
const FOLDERS = [
  '../../../machines/',
  '../../../projections/',
  '../../contracts/',
  '../../base/',
  './',
] as const;

/**
 * Names the code that turns events into state: another text wherever a machine, a projection or what they are made of
 * was changed, were it only in development. Where the files are not there, as in a bundle, the version speaks for them.
 */
export function codeFingerprint(): string {
  const digest = createHash('sha256').update(VERSION).update(JSON.stringify(MACHINE_NAMES));
  for (const folder of FOLDERS) {
    const directory = new URL(folder, import.meta.url);
    for (const name of sourcesIn(directory))
      digest.update(name).update(readFileSync(new URL(name, directory)));
  }
  return digest.digest('hex');
}

function sourcesIn(directory: URL): string[] {
  try {
    const names = readdirSync(fileURLToPath(directory), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /(?<!\.d)\.[jt]s$/.test(name)).sort();
  } catch {
    return [];
  }
}
