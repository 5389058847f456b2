/** Where Signalbox may make cgroups of version 2: below its own one, if that was given to it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../../contracts/errors.ts';
import type { Perl } from '../perl.ts';
import { tryPerl } from '../perl.ts';
import {
  hasCgroupFile,
  hierarchies,
  isCgroup,
  isPopulated,
  makeCgroup,
  removeCgroup,
} from './cgroup-files.ts';

const MAX_TEST_MS = 10_000;
/** How long the kernel may take to notice that a process is gone. */
const MAX_EMPTY_MS = 1_000;
const REST_MS = 2;
/** The part of a delegated cgroup for the program that it was delegated to, as deploy/signalbox.service names it. */
export const SUPERVISOR = 'supervisor';

let tests = 0;

/** @param perl or why there is none. @returns the cgroup, or why there is none */
export function findCgroupBase(
  perl: Perl | string,
): { readonly kind: 'cgroup'; readonly base: string } | string {
  const hierarchy = hierarchies().find(({ version }) => version === 2);
  if (hierarchy === undefined) return 'no cgroup v2 is mounted';
  const base = baseOf(hierarchy.own);
  if (!isCgroup(base)) return `the cgroup of this process, ${base}, is not visible here`;
  const refusal = base === hierarchy.mount ? undefined : ownershipOf(base, perl);
  return refusal ?? tryOut(base) ?? { kind: 'cgroup', base };
}

/** Below what a controller can be enabled: no process may be in it (a cgroup that is the root of its tree excepted). */
export function baseOf(own: string): string {
  return basename(own) === SUPERVISOR ? dirname(own) : own;
}

/** systemd owns every cgroup that it has not delegated, also against root. Others are owned by who can write there. */
function ownershipOf(base: string, perl: Perl | string): string | undefined {
  if (process.geteuid?.() !== 0 || !existsSync('/run/systemd/system')) return undefined;
  const refusal = `systemd has not delegated ${base}: set Delegate=yes and DelegateSubgroup=${SUPERVISOR} in the unit of Signalbox`;
  if (typeof perl === 'string') return `${refusal} (or install perl, which can tell whether it is set)`;
  const code = `my ($call, $path) = @ARGV; for my $name ("trusted.delegate", "user.delegate") {
    my $value = " " x 16; exit 0 if syscall($call + 0, $path, $name, $value, 16) > 0 } exit 1`;
  return tryPerl(perl, '-e', code, String(perl.calls.getxattr), base) === undefined ? undefined : refusal;
}

/** A process enters a cgroup there, and kills itself with it. @returns why that fails */
function tryOut(base: string): string | undefined {
  tests += 1;
  const path = join(base, `signalbox-test-${process.pid}-${tests}`);
  try {
    makeCgroup(path);
    if (!hasCgroupFile(path, 'cgroup.kill')) return 'the kernel is older than 5.14 and has no cgroup.kill';
    const script = 'echo 0 >"$0/cgroup.procs" && echo 1 >"$0/cgroup.kill"; exit 1';
    const { signal, stderr } = spawnSync('/bin/sh', ['-c', script, path], {
      timeout: MAX_TEST_MS,
      encoding: 'utf8',
    });
    if (signal !== 'SIGKILL') return `a process cannot enter ${path}: ${stderr.trim()}`;
    for (const end = performance.now() + MAX_EMPTY_MS; performance.now() < end; rest()) {
      if (isPopulated(path) === false) return undefined;
    }
    return `${path} is not empty after its only process was killed`;
  } catch (error) {
    return `Signalbox cannot make a cgroup below its own: ${messageOf(error)}`;
  } finally {
    removeCgroup(path);
  }
}

function rest(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REST_MS);
}
