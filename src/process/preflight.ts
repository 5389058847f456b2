import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { SignalboxError } from '../contracts/errors.ts';
import type { SpawnFailure, SpawnSpec } from './runner.ts';

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Variables that a shell keeps for itself and would hand on with a value of its own. */
const SHELL_VARIABLES: ReadonlySet<string> = new Set(['IFS', 'LINENO', 'OPTIND', 'PPID']);
const MARKER = /^[A-Za-z0-9_.:/-]{1,256}$/;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

export function spawnFailed(reason: SpawnFailure, message: string, cause?: unknown): SignalboxError {
  return new SignalboxError('spawn_failed', message, { details: { reason }, cause });
}

/**
 * Finds what would fail, before anything is started, because the system itself does not say whether the program, its
 * interpreter or the working directory is missing.
 * @returns absolute path of the program
 * @throws SignalboxError `spawn_failed`
 */
export async function preflight(spec: SpawnSpec): Promise<string> {
  const problem = problemOf(spec);
  if (problem !== undefined) throw spawnFailed('invalid_spec', `the agent cannot be started: ${problem}`);
  if (!(await isDirectory(spec.cwd))) {
    throw spawnFailed(
      'cwd_missing',
      `working directory ${spec.cwd} does not exist: create it or change "cwd"`,
    );
  }
  if (spec.stdin !== undefined && !(await isAccessible(spec.stdin, constants.R_OK))) {
    throw spawnFailed('stdin_missing', `${spec.stdin}, which is to be standard input, cannot be read`);
  }
  return findProgram(spec);
}

function problemOf(spec: SpawnSpec): string | undefined {
  if (spec.command[0] === undefined || spec.command[0] === '') return 'its command is empty';
  if (!isAbsolute(spec.directory)) return `directory ${spec.directory} is not an absolute path`;
  if (!isAbsolute(spec.cwd)) return `working directory ${spec.cwd} is not an absolute path`;
  if (spec.stdin !== undefined && !isAbsolute(spec.stdin)) return `${spec.stdin} is not an absolute path`;
  if (!MARKER.test(spec.marker))
    return `marker ${JSON.stringify(spec.marker)} has other characters than A-Za-z0-9_.:/-`;
  if (!Number.isSafeInteger(spec.maxOutputBytes) || spec.maxOutputBytes < 1)
    return 'maxOutputBytes is below 1';
  if (spec.command.some((part) => part.includes('\0'))) return 'an argument holds a NUL character';
  for (const [name, value] of Object.entries(spec.env)) {
    if (!VARIABLE_NAME.test(name))
      return `environment variable ${JSON.stringify(name)} is not a name that a shell hands on`;
    if (SHELL_VARIABLES.has(name)) return `environment variable ${name} belongs to the shell`;
    if (value.includes('\0')) return `environment variable ${name} holds a NUL character`;
  }
  return undefined;
}

async function findProgram({ command, cwd, env }: SpawnSpec): Promise<string> {
  const name = command[0] ?? '';
  const places = name.includes('/') ? [''] : (env.PATH ?? DEFAULT_PATH).split(':');
  let unusable: string | undefined;
  for (const place of places) {
    const path = resolve(cwd, place, name);
    if (!(await isFile(path))) continue;
    if (await isAccessible(path, constants.X_OK)) return path;
    unusable ??= path;
  }
  if (unusable !== undefined) {
    throw spawnFailed('not_executable', `${unusable} is not executable: check its permissions (chmod +x)`);
  }
  const where = name.includes('/')
    ? `there is no file ${resolve(cwd, name)}`
    : `it is not in PATH=${places.join(':')}`;
  throw spawnFailed('command_not_found', `command ${name} was not found: ${where}`);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
