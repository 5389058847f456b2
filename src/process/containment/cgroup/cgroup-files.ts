/**
 * The files by which the kernel shows and changes cgroups. Paths of cgroups are also read from records that an agent can write:
 * so only what lies below a mount of cgroups is opened, where nothing but the kernel's own files is.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, normalize } from 'node:path';
import { hasCode } from '../../../contracts/errors.ts';

/** How long a process may be on its way into a cgroup that was made for it. */
const NEW_MS = 120_000;

/** A tree of cgroups: of version 2, or of one controller of version 1. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1: which it holds. Version 2 tells in `cgroup.controllers`. */
  readonly controllers: readonly string[];
  /** Where it is mounted. */
  readonly mount: string;
  /** The directory of the cgroup of this process. */
  readonly own: string;
}

/** All trees that are mounted, with the cgroup of this process. Empty if the system has none. */
export function hierarchies(): readonly Hierarchy[] {
  try {
    return hierarchiesOf(
      readFileSync('/proc/self/mountinfo', 'utf8'),
      readFileSync('/proc/self/cgroup', 'utf8'),
    );
  } catch {
    return []; // not Linux, or a kernel without cgroups
  }
}

/** @param mounts as in /proc/self/mountinfo @param memberships as in /proc/self/cgroup */
export function hierarchiesOf(mounts: string, memberships: string): readonly Hierarchy[] {
  const paths = new Map<string, string>();
  for (const line of memberships.split('\n')) {
    const [, , controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined) paths.set(controllers, path);
  }
  const seen = new Set<string>();
  return mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , , root, mount] = before.split(' ').map(unescaped);
    const [type, , options = ''] = after.split(' ');
    if (root === undefined || mount === undefined || !/^cgroup2?$/.test(type ?? '')) return [];
    const version = type === 'cgroup2' ? 2 : 1;
    const found = [...paths].find(([controllers]) =>
      version === 2
        ? controllers === ''
        : controllers !== '' && controllers.split(',').every((each) => options.split(',').includes(each)),
    );
    if (found === undefined || seen.has(found[0])) return [];
    const [controllers, path] = found;
    const relative = root === '/' ? path.slice(1) : path.slice(root.length + 1);
    if (root !== '/' && path !== root && !path.startsWith(`${root}/`)) return [];
    seen.add(controllers);
    return [
      {
        version,
        controllers: controllers.split(',').filter((each) => each !== ''),
        mount,
        own: join(mount, relative),
      },
    ];
  });
}

/** Spaces and the like are written as octal numbers. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Whether a path from a record can be that of a cgroup. */
export function isBelowMount(path: string): boolean {
  return normalize(path) === path && hierarchies().some(({ mount }) => path.startsWith(`${mount}/`));
}

/** Whether it exists. */
export function isCgroup(path: string): boolean {
  return hasCgroupFile(path, 'cgroup.procs');
}

export function hasCgroupFile(path: string, file: string): boolean {
  return existsSync(join(path, file));
}

/** Whether a process is in it or below it; undefined if it does not exist. */
export function isPopulated(path: string): boolean | undefined {
  const events = readCgroup(path, 'cgroup.events');
  return events === undefined ? undefined : !/^populated 0$/m.test(events);
}

/** One of its files; undefined if it, or the cgroup, does not exist. */
export function readCgroup(path: string, file: string): string | undefined {
  try {
    return readFileSync(join(path, file), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENODEV')) return undefined;
    throw error;
  }
}

/** @throws errors of the system */
export function writeCgroup(path: string, file: string, text: string): void {
  writeFileSync(join(path, file), text);
}

/** Makes the cgroup, and those above it. @throws errors of the system */
export function makeCgroup(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** All processes in it and below it. */
export function processesOf(path: string): readonly number[] {
  const own = readCgroup(path, 'cgroup.procs')?.split('\n').filter(Boolean).map(Number) ?? [];
  return [...own, ...childrenOf(path).flatMap(processesOf)];
}

/** Removes it and those below it, as far as no process is in them. */
export function removeCgroup(path: string): void {
  for (const child of childrenOf(path)) removeCgroup(child);
  removeEmptyCgroup(path);
}

/** Removes it if nothing is in it. */
export function removeEmptyCgroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Something is in it, or it is gone.
  }
}

/** Removes those in it that are empty and not new: a crash has left them. */
export function sweepCgroup(path: string): void {
  for (const child of childrenOf(path)) {
    const stats = statSync(child, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > NEW_MS) removeCgroup(child);
  }
}

function childrenOf(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(path, name));
  } catch {
    return [];
  }
}
