/** The living processes of an attempt: what its records name counts only as far as the process table agrees. */
import type { AttemptDirectory } from './files/attempt-directory.ts';
import type { Host } from './host/host.ts';
import { findAlive, isAlive, type ProcessEntry, type ProcessKey, sameProcess } from './host/process-table.ts';
import type { ProcessIndex } from './host/scans.ts';

export interface StartRecord {
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
}

export type Party = keyof StartRecord;

/** The processes with the marker of an attempt, and which of them are its launcher and its agent. */
export interface Living {
  readonly index: ProcessIndex;
  readonly marked: readonly ProcessEntry[];
  readonly launcher: ProcessKey | undefined;
  /** Absent if the agent is gone, or was not started. */
  readonly start: StartRecord | undefined;
}

/** From the process table: the files of the attempt only say where to look. */
export async function livingOf(
  host: Host,
  directory: AttemptDirectory,
  { marker, known }: { readonly marker: string; readonly known: ProcessKey | undefined },
): Promise<Living> {
  const index = await host.scans.scan('0');
  const marked = index.marked(marker).filter(isAlive);
  const noted = readKey(host, directory, 'launcher');
  const launcher =
    marked.find((entry) => sameProcess(noted, entry)) ?? (await launcherAmong(host, marked, directory));
  const places = { index, marked, launcher };
  const named = [known, readKey(host, directory, 'agent')].find(
    (key) => key !== undefined && trusted(host, places, key) !== undefined && isRunning(host, key),
  );
  const first = launcher && agentOf(index, launcher);
  const recorded = known ?? readKey(host, directory, 'agent');
  // The first child of the launcher may be an orphan of an agent that is gone, but then it is younger than that.
  const isOrphan = isYounger(first, recorded) && !isRefuted(index, recorded);
  const agent = named ?? (isOrphan && !isRunning(host, recorded) ? undefined : first);
  return { ...places, start: agent && { launcher: launcher ?? agent, agent } };
}

function isYounger(entry: ProcessKey | undefined, than: ProcessKey | undefined): boolean {
  if (entry === undefined || than === undefined) return false;
  const difference = Number(entry.startTime) - Number(than.startTime);
  return difference === 0 ? entry.pid > than.pid : difference > 0;
}

/** Whether the pid belonged to another process at that time, which is still there: such a record is forged. */
function isRefuted(index: ProcessIndex, key: ProcessKey | undefined): boolean {
  const entry = key && index.process(key.pid);
  return entry !== undefined && Number(entry.startTime) < Number(key?.startTime);
}

/** A process that a file names; undefined if it is there, but nothing in the process table connects it to the attempt. */
export function trusted(
  host: Host,
  { index, marked, launcher }: Omit<Living, 'start'>,
  key: ProcessKey | undefined,
): ProcessKey | undefined {
  if (key === undefined || !isRunning(host, key)) return key;
  const entry = index.process(key.pid);
  const isOurs =
    marked.some((each) => sameProcess(key, each)) ||
    (launcher !== undefined && (entry?.ppid === launcher.pid || entry?.sid === launcher.pid));
  return isOurs ? key : undefined;
}

/** The launcher by its command line, if its own record is missing or was replaced. */
async function launcherAmong(
  host: Host,
  marked: readonly ProcessEntry[],
  { path }: AttemptDirectory,
): Promise<ProcessEntry | undefined> {
  for (const entry of marked.filter(({ pid, pgid }) => pid === pgid)) {
    if ((await host.table.commandLine(entry.pid))?.includes(`launcher.sh ${path} `)) return entry;
  }
  return undefined;
}

/** The first child of the launcher that has executed a program: others are parts of the launcher, or orphans of the agent. */
function agentOf(index: ProcessIndex, launcher: ProcessKey): ProcessKey | undefined {
  return index
    .children(launcher.pid)
    .filter((entry) => isAlive(entry) && entry.beforeExec === false)
    .toSorted((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid)[0];
}

/** Whether a process that the records name as the launcher is there, and nothing shows that it is of something else. */
export function isLauncher(host: Host, key: ProcessKey | undefined, marker: string): boolean {
  return key !== undefined && isRunning(host, key) && (host.table.markers(key.pid)?.includes(marker) ?? true);
}

export function isRunning(host: Host, key: ProcessKey | undefined): boolean {
  return key !== undefined && findAlive(host.table, key) !== undefined;
}

/**
 * The recorded start, if what it names is gone or of this attempt. `unclear` if it names a living process of something else:
 * a record that the agent has forged must not get another process killed.
 */
export async function checkedStart(
  host: Host,
  directory: AttemptDirectory,
  marker: string,
): Promise<StartRecord | 'unclear' | undefined> {
  const start = readStart(host, directory);
  if (start === undefined) return undefined;
  const keys = [start.launcher, start.agent];
  if (!keys.some((key) => isRunning(host, key))) return start;
  const living = await livingOf(host, directory, { marker, known: undefined });
  return keys.every((key) => trusted(host, living, key) !== undefined) ? start : 'unclear';
}

/** The launcher identifies itself before its command does: so either both are known, or the command was not executed. */
export function readStart(host: Host, directory: AttemptDirectory): StartRecord | undefined {
  const agent = readKey(host, directory, 'agent');
  const launcher = agent === undefined ? undefined : readKey(host, directory, 'launcher');
  return agent === undefined || launcher === undefined ? undefined : { launcher, agent };
}

export function readKey(host: Host, directory: AttemptDirectory, file: Party): ProcessKey | undefined {
  const line = directory.readRecord(file);
  return line === undefined ? undefined : host.table.parseRecord(line);
}
