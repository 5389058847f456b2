/** System calls that Node.js does not offer, made by perl, which is part of every Debian and of most other systems. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { arch, platform } from 'node:process';

export interface Perl {
  /** Where it is. */
  readonly program: string;
  readonly calls: SystemCalls;
}

interface SystemCalls {
  readonly prctl: number;
  readonly unshare: number;
  readonly mount: number;
  readonly getxattr: number;
}

/** Their numbers, by architecture. */
const GENERIC: SystemCalls = { prctl: 167, unshare: 97, mount: 40, getxattr: 8 };
const CALLS: Readonly<Record<string, SystemCalls>> = {
  x64: { prctl: 157, unshare: 272, mount: 165, getxattr: 191 },
  arm64: GENERIC,
  riscv64: GENERIC,
};
const PLACES = ['/usr/bin/perl', '/bin/perl', '/usr/local/bin/perl'];
const MAX_RUN_MS = 10_000;

/** Undefined, or why there is none. */
export function findPerl(): Perl | string {
  const calls = CALLS[arch];
  if (platform !== 'linux' || calls === undefined) return `it needs Linux, and is not known on ${arch}`;
  const program = PLACES.find(isExecutable);
  return program === undefined ? `there is no perl (${PLACES.join(', ')})` : { program, calls };
}

/** Runs a small program in an empty environment. @returns why it failed; undefined if it exited with 0 */
export function tryPerl({ program }: Perl, ...args: readonly string[]): string | undefined {
  const { status, signal, error, stderr } = spawnSync(program, args, {
    env: {},
    timeout: MAX_RUN_MS,
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim() || `perl ended with ${signal ?? status}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Variables that would change what perl does. They are given back to the command. */
export const PERL_VARIABLES: readonly string[] = ['PERL5OPT', 'PERL5DB', 'PERL5LIB', 'PERLLIB'];
export const KEPT_PREFIX = '_signalbox_kept_';

/** An environment in which perl does what it is told. */
export function environmentForPerl(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      PERL_VARIABLES.includes(name) ? `${KEPT_PREFIX}${name}` : name,
      value,
    ]),
  );
}
