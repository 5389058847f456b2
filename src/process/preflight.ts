/** Checks a spawn before anything is started. */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { SignalboxError } from '../contracts/errors.ts';
import { isMarker } from './markers.ts';
import type { SpawnFailure, SpawnSpec } from './runner.ts';

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Variables that a shell sets itself and would pass on with its own value. */
const SHELL_VARIABLES: ReadonlySet<string> = new Set(
  'IFS LINENO OPTIND PPID UID EUID SHELLOPTS BASHOPTS'.split(' '),
);
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

export function spawnFailed(reason: SpawnFailure, message: string, cause?: unknown): SignalboxError {
  return new SignalboxError('spawn_failed', message, { details: { reason }, cause });
}

/**
 * Finds out what would fail, because the system's own error does not say whether the program, its interpreter or the
 * working directory is missing. Synchronous, like the search of PATH in any spawn: a file takes 3 µs.
 * @returns absolute path of the program
 * @throws SignalboxError `spawn_failed`
 */
export function preflight(spec: SpawnSpec): string {
  const problem = problemOf(spec);
  if (problem !== undefined) throw spawnFailed('invalid_spec', `cannot start the agent: ${problem}`);
  if (statOf(spec.cwd)?.isDirectory() !== true) {
    const message = `working directory ${spec.cwd} does not exist: create it or change "cwd"`;
    throw spawnFailed('cwd_missing', message);
  }
  if (spec.stdin !== undefined && !isAccessible(spec.stdin, constants.R_OK)) {
    throw spawnFailed('stdin_missing', `cannot read ${spec.stdin}, the file for standard input`);
  }
  return findProgram(spec);
}

function problemOf(spec: SpawnSpec): string | undefined {
  if (spec.command[0] === undefined || spec.command[0] === '') return 'its command is empty';
  if (!isAbsolute(spec.directory)) return `directory ${spec.directory} is not an absolute path`;
  if (!isAbsolute(spec.cwd)) return `working directory ${spec.cwd} is not an absolute path`;
  if (spec.stdin !== undefined && !isAbsolute(spec.stdin)) return `${spec.stdin} is not an absolute path`;
  if (!isMarker(spec.marker))
    return `marker ${JSON.stringify(spec.marker)} has other characters than A-Za-z0-9_.:/-`;
  if (!Number.isSafeInteger(spec.maxOutputBytes) || spec.maxOutputBytes < 1)
    return 'maxOutputBytes is below 1';
  if (spec.command.some((part) => part.includes('\0'))) return 'an argument holds a NUL character';
  for (const [name, value] of Object.entries(spec.env)) {
    if (!VARIABLE_NAME.test(name))
      return `environment variable ${JSON.stringify(name)} is not a name that a shell passes on`;
    if (SHELL_VARIABLES.has(name) || name.startsWith('_signalbox_'))
      return `environment variable ${name} belongs to the shell`;
    if (value.includes('\0')) return `environment variable ${name} holds a NUL character`;
  }
  return undefined;
}

function findProgram({ command, cwd, env }: SpawnSpec): string {
  const name = command[0] ?? '';
  const places = name.includes('/') ? [''] : (env.PATH ?? DEFAULT_PATH).split(':');
  const files = places.map((place) => resolve(cwd, place, name)).filter((path) => statOf(path)?.isFile());
  const program = files.find((path) => isAccessible(path, constants.X_OK));
  if (program !== undefined) return program;
  if (files[0] !== undefined) {
    throw spawnFailed('not_executable', `${files[0]} is not executable: check its permissions (chmod +x)`);
  }
  const where = name.includes('/')
    ? `there is no file ${resolve(cwd, name)}`
    : `it is not in PATH=${places.join(':')}`;
  throw spawnFailed('command_not_found', `command ${name} was not found: ${where}`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // not a directory on the way, or no permission
  }
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
