import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { execa } from 'execa';

/** The variables that a look-up reads, so that tests can give their own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The path of the program `name` in the directories of `env.PATH` (and then in `more`), if it is there. */
export async function findExecutable(
  name: string,
  env: Environment,
  more: readonly string[] = [],
): Promise<string | undefined> {
  const directories = [...(env.PATH ?? '').split(delimiter), ...more].filter(isAbsolute);
  for (const directory of directories) {
    const file = join(directory, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** Whether this user may read `file`. */
export async function isReadable(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether `file` is a regular file that this user may run. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

const VERSION_TIMEOUT_MS = 10_000;

/** What `file --version` prints, or undefined when it does not run or says that it failed. */
export async function versionOutput(file: string): Promise<string | undefined> {
  const result = await execa(file, ['--version'], {
    reject: false,
    timeout: VERSION_TIMEOUT_MS,
    stdin: 'ignore',
  });
  return result.failed ? undefined : result.stdout;
}
