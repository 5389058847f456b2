import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hasCode, messageOf, type SignalboxError } from '../contracts/errors.ts';
import { configError } from './issues.ts';

/** The names that are looked for in the current directory, where no file is named. */
export const CONFIG_FILE_NAMES = [
  'signalbox.config.yaml',
  'signalbox.config.yml',
  'signalbox.config.json',
] as const;

export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** The file with this name; `config_invalid` where it is missing or cannot be read. */
export async function readNamedFile(name: string, cwd: string): Promise<ConfigFile> {
  const file = await readIfExists(name, cwd);
  if (file) return file;
  throw fileError(name, `there is no such file in ${cwd}: name another, or none to run with the defaults`);
}

/** The one file with a default name, or null where there is none; `config_invalid` where there are several. */
export async function findDefaultFile(cwd: string): Promise<ConfigFile | null> {
  const candidates = await Promise.all(CONFIG_FILE_NAMES.map((name) => readIfExists(name, cwd)));
  const [file, second] = candidates.filter((candidate) => candidate !== null);
  if (file && second) {
    throw fileError(second.name, `${file.name} is there as well: keep one of them, or name the one to use`);
  }
  return file ?? null;
}

async function readIfExists(name: string, cwd: string): Promise<ConfigFile | null> {
  const path = resolve(cwd, name);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw fileError(name, `cannot be read: ${messageOf(error)}`, error);
  }
  try {
    return { name, path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    throw fileError(name, 'is not UTF-8: save it in this encoding', error);
  }
}

function fileError(file: string, message: string, cause?: unknown): SignalboxError {
  return configError([{ file, line: null, column: null, field: '', message }], cause);
}
