/**
 * Finds out what became of a process that an earlier runner started, and waits for the start of a new one.
 *
 * Invariant attempts/started-at-most-once: the launcher and an adoption both create the file `launcher` exclusively. If
 * the launcher is first, the command may have been executed; if the adoption is first, it never will be. A launcher
 * identifies itself before it forks, its child before it executes the command: so if the child did not identify itself
 * and no process with the marker is left, the command was not executed.
 *
 * Invariant attempts/ended-for-certain: a living process outranks every record, since the agent can write records too;
 * pids count only on the same machine and in the same boot, and only if the process carries the attempt's marker, is the
 * child of one that does, or is known from the log.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory, RecordedExit, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit.ts';
import { OutputFiles } from './files/output-files.ts';
import type { Host } from './host/host.ts';
import { findAlive, isAlive, type ProcessEntry, type ProcessKey, sameProcess } from './host/process-table.ts';
import type { ProcessIndex } from './host/scans.ts';
import type { ExitReport, ProcessExit } from './runner.ts';
import type { StartedProcess } from './supervised-process.ts';

/** On an idle machine the launcher executes the command after two milliseconds. */
const MIN_POLL_MS = 2;
const MAX_POLL_MS = 20;
const MAX_START_MS = 30_000;
/** How long a launcher that was told not to start may take to end. */
const MAX_GIVING_UP_MS = 2_000;
/** When a start is looked for in the process table, because its records are missing or were replaced. */
const LOOK_AFTER_MS = 250;

export interface StartRecord {
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
}

/** What the files of an attempt and the process table together say about it. */
export type AdoptionFinding =
  | { readonly kind: 'never_started'; readonly reason: string }
  | ({ readonly kind: 'running' } & Pick<StartedProcess, 'spec'> & StartRecord)
  | ({ readonly kind: 'ended'; readonly report: ExitReport } & {
      readonly [Key in keyof StartRecord]?: ProcessKey | undefined;
    });

type Party = keyof StartRecord;

/**
 * Finds out what became of the process in this directory.
 * @param known the process, if its start was recorded where the agent cannot write
 */
export async function findOut(
  host: Host,
  directory: AttemptDirectory,
  marker: string,
  known?: ProcessKey,
): Promise<AdoptionFinding> {
  const spec = directory.readSpec();
  const elsewhere = spec && elsewhereReason(host, spec);
  const living = elsewhere === undefined ? await livingOf(host, directory, { marker, known }) : undefined;
  const ended = async (exit: ProcessExit, record?: RecordedExit): Promise<AdoptionFinding> => {
    const output = new OutputFiles(directory, spec?.maxOutputBytes ?? Number.MAX_SAFE_INTEGER, host.log);
    await output.close();
    const measured = { output: output.bytes(), cpuMs: record?.cpuMs };
    const report = reportOf(exit, record?.recordedAt ?? host.now(), measured);
    if (living === undefined) return { kind: 'ended', report };
    const key = (party: Party) => trusted(host, living, readKey(host, directory, party));
    return { kind: 'ended', report, launcher: key('launcher'), agent: known ?? key('agent') };
  };
  const recorded = async (record: RecordedExit) => ended(await recordedExit(directory, record), record);
  const lost = (reason: string) => ended({ kind: 'lost', reason });
  const running = (start: StartRecord): AdoptionFinding => {
    const maxOutputBytes = spec?.maxOutputBytes ?? Number.MAX_SAFE_INTEGER;
    return { kind: 'running', spec: { marker, maxOutputBytes, inputStays: spec?.inputStays }, ...start };
  };

  // Before its record: the agent may have written that itself.
  if (living?.start !== undefined) return running(living.start);
  const record = directory.readExit();
  if (record !== undefined) return recorded(record);
  if (elsewhere !== undefined) return lost(elsewhere);
  if (known !== undefined && living?.launcher === undefined) return lost(ENDED_UNSEEN);
  if (await directory.abandon()) {
    if (await staysMarked(host, marker)) return lost('its files are gone, but processes of it were there');
    return notStarted('no launcher had begun its work');
  }
  if (spec === undefined) return lost('there is no record of what was to be started');
  const start = await startOf(host, directory, marker);
  if (start === 'unclear') return lost('its launcher hangs and neither started it nor gave up');
  if (start === undefined) return notStarted('its launcher was killed before that');
  if (isRunning(host, start.launcher) || isRunning(host, start.agent)) return running(start);
  const late = directory.readExit();
  return late === undefined ? lost(ENDED_UNSEEN) : recorded(late);
}

const ENDED_UNSEEN = 'it ended while Signalbox was not running, and its launcher did not record how';

/** The processes with the marker of an attempt, and which of them are its launcher and its agent. */
interface Living {
  readonly index: ProcessIndex;
  readonly marked: readonly ProcessEntry[];
  readonly launcher: ProcessKey | undefined;
  /** Absent if the agent is gone, or was not started. */
  readonly start: StartRecord | undefined;
}

/** From the process table: the files of the attempt only say where to look. */
async function livingOf(
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
  const agent = named ?? (launcher && agentOf(index, launcher));
  return { ...places, start: agent && { launcher: launcher ?? agent, agent } };
}

/** A process that a file names; undefined if it is there, but nothing in the process table connects it to the attempt. */
function trusted(
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

/** The one child of the launcher that has executed a program: the others are parts of the launcher. */
function agentOf(index: ProcessIndex, launcher: ProcessKey): ProcessKey | undefined {
  return index.children(launcher.pid).find((entry) => isAlive(entry) && entry.beforeExec === false);
}

/** Whether processes of the attempt are there, and not only a launcher that finds out that it may not start. */
async function staysMarked(host: Host, marker: string): Promise<boolean> {
  const end = performance.now() + MAX_GIVING_UP_MS;
  while ((await host.scans.scan('0')).marked(marker).some(isAlive)) {
    if (performance.now() > end) return true;
    await pause(MAX_POLL_MS);
  }
  return false;
}

/** Why the pids mean nothing here. A machine may be renamed while it runs, so a different name alone is not enough. */
function elsewhereReason(host: Host, spec: SpecRecord): string | undefined {
  const renamed = spec.host !== host.name;
  const rebooted = spec.bootId !== host.bootId;
  if (renamed && (rebooted || spec.bootId === undefined)) {
    return `it was started on ${spec.host}, and this is ${host.name}`;
  }
  return rebooted ? 'the machine was restarted after it was started' : undefined;
}

async function startOf(
  host: Host,
  directory: AttemptDirectory,
  marker: string,
): Promise<StartRecord | 'unclear' | undefined> {
  const launcher = readKey(host, directory, 'launcher');
  const start = await untilStarted(host, directory, marker, () => !isRunning(host, launcher));
  if (start !== undefined) return start;
  const end = performance.now() + MAX_START_MS;
  while ((await host.scans.scan('0')).marked(marker).some(isAlive)) {
    const late = readStart(host, directory);
    if (late !== undefined) return late;
    if (performance.now() > end) return 'unclear';
    await pause(MAX_POLL_MS);
  }
  return readStart(host, directory);
}

function isRunning(host: Host, key: ProcessKey | undefined): boolean {
  return key !== undefined && findAlive(host.table, key) !== undefined;
}

function notStarted(reason: string): AdoptionFinding {
  return { kind: 'never_started', reason };
}

/**
 * Waits until the launcher has started its command, or is gone.
 * @param launcherGone called before the records are read, so that they are final if it returns true
 * @returns undefined if the launcher ended before it started the command; `unclear` if neither happened in 30 seconds
 */
export async function untilStarted(
  host: Host,
  directory: AttemptDirectory,
  marker: string,
  launcherGone: () => boolean,
): Promise<StartRecord | 'unclear' | undefined> {
  const begin = performance.now();
  let lookAt = begin + LOOK_AFTER_MS;
  for (let pollMs = MIN_POLL_MS; performance.now() < begin + MAX_START_MS; pollMs = nextPoll(pollMs)) {
    const gone = launcherGone();
    const start = readStart(host, directory);
    if (gone) return start;
    if (start !== undefined && isExecuting(host, start.agent) && isMarked(host, start, marker)) return start;
    if (performance.now() > lookAt) {
      // It has ended already, and the launcher waits for output that a child of it holds open.
      if (start !== undefined && directory.readExit() !== undefined) return start;
      const { start: found } = await livingOf(host, directory, { marker, known: undefined });
      if (found !== undefined && isExecuting(host, found.agent)) return found;
      lookAt = performance.now() + LOOK_AFTER_MS;
    }
    await pause(pollMs);
  }
  return 'unclear';
}

function nextPoll(pollMs: number): number {
  return Math.min(pollMs + 1, MAX_POLL_MS);
}

/** Whether the records name a launcher of this attempt and its child: the agent may have replaced them already. */
function isMarked(host: Host, { launcher, agent }: StartRecord, marker: string): boolean {
  const markers = host.table.markers(launcher.pid);
  return (markers?.includes(marker) ?? true) && host.table.lookup(agent.pid)?.ppid === launcher.pid;
}

/** The launcher identifies itself before its command does: so either both are known, or the command was not executed. */
function readStart(host: Host, directory: AttemptDirectory): StartRecord | undefined {
  const agent = readKey(host, directory, 'agent');
  const launcher = agent === undefined ? undefined : readKey(host, directory, 'launcher');
  return agent === undefined || launcher === undefined ? undefined : { launcher, agent };
}

function readKey(host: Host, directory: AttemptDirectory, file: Party): ProcessKey | undefined {
  const line = directory.readRecord(file);
  return line === undefined ? undefined : host.table.parseRecord(line);
}

/** False between fork and exec, and if it has ended already: then the launcher's record tells why. */
function isExecuting(host: Host, agent: ProcessKey): boolean {
  const entry = host.table.lookup(agent.pid);
  return isAlive(entry) && sameProcess(entry, agent) && entry.beforeExec !== true;
}
