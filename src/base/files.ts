/** Small files: read if they exist, replaced atomically and durably. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.ts';
import { createFresh, readRegular, syncDirectory } from './regular-files.ts';

/** Above it, a file is none that Signalbox wrote. */
const MAX_FILE_BYTES = 64 * 1_024 * 1_024;

/** The text of the file; null if it does not exist. Other errors are thrown, also for anything that is no file. */
export async function readIfExists(file: string): Promise<string | null> {
  return (await readRegular(file, MAX_FILE_BYTES, { followLinks: true }))?.toString() ?? null;
}

/** The text of a file that has to be there. @throws errors of the system, NotRegularError */
export async function readText(file: string): Promise<string> {
  const text = await readIfExists(file);
  if (text !== null) return text;
  throw Object.assign(new Error(`there is no file ${file}`), { code: 'ENOENT' });
}

/**
 * Replaces `file` (mode 0600). After a crash or a power cut it holds the old text or the new one; when this returns,
 * the new one is on the disk.
 * @param writer names this writer if several may write at the same time: the last one wins
 */
export async function replaceDurably(file: string, text: string, writer?: string): Promise<void> {
  const temporary = writer === undefined ? `${file}.tmp` : `${file}.${writer}.tmp`;
  try {
    const handle = await createFresh(temporary);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renameDurably(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error tells more
    throw error;
  }
}

/** Puts a file that is on the disk in the place of another one in its directory. When this returns, that is on the disk, too. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** The content of a JSON file; null if it does not exist. Errors of the schema are thrown, too. */
export async function readJson<Content>(
  file: string,
  schema: { readonly parse: (value: unknown) => Content },
): Promise<Content | null> {
  const text = await readIfExists(file);
  if (text !== null) return schema.parse(JSON.parse(text));
  // A directory that is a file is damage, not a beginning: what is written there later would be lost.
  await readdir(dirname(file)).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
  });
  return null;
}

/** Replaces a JSON file durably, in a directory of mode 0700 that is created if it is missing. One writer at a time. */
export async function writeJson(file: string, content: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceDurably(file, `${JSON.stringify(content)}\n`);
}
