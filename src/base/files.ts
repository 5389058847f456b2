/** Small files: read if they exist, replaced atomically and durably. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.ts';

/** The text of the file; null if it does not exist. Other errors are thrown. */
export async function readIfExists(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null;
    throw error;
  });
}

/**
 * Replaces `file` (mode 0600). After a crash or a power cut it holds the old text or the new one; when this returns,
 * the new one is on the disk. One writer at a time.
 */
export async function replaceDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  // The rename is on the disk only when the directory is.
  const directory = await open(dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The content of a JSON file; null if it does not exist. Errors of the schema are thrown, too. */
export async function readJson<Content>(
  file: string,
  schema: { readonly parse: (value: unknown) => Content },
): Promise<Content | null> {
  // A directory that is a file is damage, not a beginning: what is written there later would be lost.
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  return text === null ? null : schema.parse(JSON.parse(text));
}

/** Replaces a JSON file durably, in a directory of mode 0700 that is created if it is missing. One writer at a time. */
export async function writeJson(file: string, content: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceDurably(file, `${JSON.stringify(content)}\n`);
}
