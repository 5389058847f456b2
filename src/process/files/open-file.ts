/** Compares an open file with what is at a path. */
import { fstatSync, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Whether an open file is the one with these numbers. */
export function isOpenAs(file: FileHandle | null, { dev, ino }: Stats): boolean {
  if (file === null) return false;
  const own = fstatSync(file.fd);
  return own.dev === dev && own.ino === ino;
}
