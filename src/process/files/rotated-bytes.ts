/** The launcher's count of what it has moved out of an output file (launcher.sh). */
import { readSmallSync } from '../../base/regular-files.ts';

const MAX_COUNT_BYTES = 64;

/** What the launcher has noted of its rotations; undefined if it has made none. */
export function rotatedBytes(path: string): number | undefined {
  try {
    const text = readSmallSync(`${path}.rotated`, MAX_COUNT_BYTES)?.text ?? '';
    return /^\d{1,15}\n$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined; // something else is in its place
  }
}
