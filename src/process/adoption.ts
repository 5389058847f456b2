/**
 * Finds out what became of a process that an earlier runner started, and waits for the start of a new one.
 *
 * Invariant attempts/started-at-most-once: the launcher and an adoption both create the file `launcher` exclusively. If
 * the launcher is first, the command may have been executed; if the adoption is first, it never will be. A launcher
 * identifies itself before it forks, its child before it executes the command: so if the child did not identify itself
 * and no process with the marker is left, the command was not executed.
 *
 * Invariant attempts/ended-for-certain: a complete exit record outranks everything else; pids count only on the same
 * machine and in the same boot.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory, RecordedExit, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit.ts';
import { OutputFiles } from './files/output-files.ts';
import type { Host } from './host/host.ts';
import { findAlive, isAlive, type ProcessKey, sameProcess } from './host/process-table.ts';
import type { ExitReport, ProcessExit } from './runner.ts';

/** On an idle machine the launcher executes the command after two milliseconds. */
const MIN_POLL_MS = 2;
const MAX_POLL_MS = 20;
const MAX_START_MS = 30_000;

export interface StartRecord {
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
}

/** What the files of an attempt and the process table together say about it. */
export type AdoptionFinding =
  | { readonly kind: 'never_started'; readonly reason: string }
  | ({ readonly kind: 'running'; readonly spec: SpecRecord } & StartRecord)
  | ({ readonly kind: 'ended'; readonly report: ExitReport } & {
      readonly [Key in keyof StartRecord]?: ProcessKey | undefined;
    });

type Party = keyof StartRecord;

/** Finds out what became of the process in this directory. */
export async function findOut(
  host: Host,
  directory: AttemptDirectory,
  marker: string,
): Promise<AdoptionFinding> {
  const spec = directory.readSpec();
  const elsewhere = spec && elsewhereReason(host, spec);
  const ended = async (exit: ProcessExit, record?: RecordedExit): Promise<AdoptionFinding> => {
    const output = new OutputFiles(directory, spec?.maxOutputBytes ?? Number.MAX_SAFE_INTEGER, host.log);
    await output.close();
    const measured = { output: output.bytes(), cpuMs: record?.cpuMs };
    const report = reportOf(exit, record?.recordedAt ?? host.now(), measured);
    if (elsewhere !== undefined) return { kind: 'ended', report };
    const key = (file: Party) => readKey(host, directory, file);
    return { kind: 'ended', report, launcher: key('launcher'), agent: key('agent') };
  };
  const recorded = async (record: RecordedExit) => ended(await recordedExit(directory, record), record);
  const lost = (reason: string) => ended({ kind: 'lost', reason });

  const record = directory.readExit();
  if (record !== undefined) return recorded(record);
  if (elsewhere !== undefined) return lost(elsewhere);
  if (await directory.abandon()) return notStarted('no launcher had begun its work');
  if (spec === undefined) return lost('there is no record of what was to be started');
  const start = await startOf(host, directory, marker);
  if (start === 'unclear') return lost('its launcher hangs and neither started it nor gave up');
  if (start === undefined) return notStarted('its launcher was killed before that');
  if (isRunning(host, start.launcher) || isRunning(host, start.agent))
    return { kind: 'running', spec, ...start };
  const late = directory.readExit();
  if (late !== undefined) return recorded(late);
  return lost('it ended while Signalbox was not running, and its launcher did not record how');
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
  const start = await untilStarted(host, directory, () => !isRunning(host, launcher));
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
  launcherGone: () => boolean,
): Promise<StartRecord | 'unclear' | undefined> {
  const end = performance.now() + MAX_START_MS;
  for (let pollMs = MIN_POLL_MS; performance.now() < end; pollMs = Math.min(pollMs + 1, MAX_POLL_MS)) {
    const gone = launcherGone();
    const start = readStart(host, directory);
    if (gone || (start !== undefined && isExecuting(host, start.agent))) return start;
    await pause(pollMs);
  }
  return 'unclear';
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
