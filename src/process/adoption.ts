/**
 * Finds out what became of a process that an earlier runner started.
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
import { hasCode, messageOf } from '../contracts/errors.ts';
import type { AttemptDirectory, RecordedExit, SpecRecord } from './files/attempt-directory.ts';
import { recordedExit, reportOf } from './files/exit.ts';
import { OutputFiles } from './files/output-files.ts';
import type { Host } from './host/host.ts';
import { isAlive, type ProcessKey } from './host/process-table.ts';
import {
  checkedStart,
  isLauncher,
  isRunning,
  livingOf,
  type Party,
  readKey,
  type StartRecord,
  trusted,
} from './living.ts';
import type { ExitReport, ProcessExit } from './runner.ts';
import { untilStarted } from './start.ts';
import type { StartedProcess } from './supervised-process.ts';

const POLL_MS = 20;
/** How long a launcher that has begun is waited for. */
const MAX_START_MS = 30_000;
/** How long a launcher that was told not to start may take to end. */
const MAX_GIVING_UP_MS = 2_000;

/** What the files of an attempt and the process table together say about it. */
export type AdoptionFinding =
  | { readonly kind: 'never_started'; readonly reason: string }
  | ({ readonly kind: 'running' } & Pick<StartedProcess, 'spec'> & StartRecord)
  | ({ readonly kind: 'ended'; readonly report: ExitReport } & {
      readonly [Key in keyof StartRecord]?: ProcessKey | undefined;
    } & Pick<SpecRecord, 'containment' | 'cgroup'>);

/** What a process can make of its directory, so that neither this process nor a launcher can use it. */
const UNREACHABLE = ['EACCES', 'EPERM', 'ELOOP', 'ENOTDIR', 'ENAMETOOLONG'];

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
    const { containment, cgroup } = spec ?? {};
    if (living === undefined) return { kind: 'ended', report, containment, cgroup };
    const key = (party: Party) => trusted(host, living, readKey(host, directory, party));
    const found = { launcher: key('launcher'), agent: known ?? key('agent') };
    return { kind: 'ended', report, containment, cgroup, ...found };
  };
  const recorded = async (record: RecordedExit) => ended(await recordedExit(directory, record), record);
  const lost = (reason: string) => ended({ kind: 'lost', reason });
  const running = (start: StartRecord): AdoptionFinding => {
    const maxOutputBytes = spec?.maxOutputBytes ?? Number.MAX_SAFE_INTEGER;
    const { inputStays, containment, cgroup } = spec ?? {};
    return { kind: 'running', spec: { marker, maxOutputBytes, inputStays, containment, cgroup }, ...start };
  };

  // Before its record: the agent may have written that itself.
  if (living?.start !== undefined) return running(living.start);
  const record = directory.readExit();
  const unseen = unseenReason(directory);
  if (record !== undefined) return recorded(record);
  if (elsewhere !== undefined) return lost(elsewhere);
  if (known !== undefined && living?.launcher === undefined) return lost(unseen);
  const abandoned = await directory.abandon().catch((error: unknown) => {
    if (!UNREACHABLE.some((code) => hasCode(error, code))) throw error;
    return messageOf(error);
  });
  if (typeof abandoned === 'string') {
    // No launcher can begin its work there either, and no process of it is left.
    await staysMarked(host, marker);
    return lost(`its directory cannot be used: ${abandoned}`);
  }
  if (abandoned) {
    if (await staysMarked(host, marker)) return lost('its files are gone, but processes of it were there');
    return notStarted('no launcher had begun its work');
  }
  if (spec === undefined) return lost('there is no record of what was to be started');
  const start = await startOf(host, directory, marker);
  if (start === 'unclear') return lost('its launcher hangs, or its records name another process');
  if (start === undefined) return notStarted('its launcher was killed before that');
  if (isRunning(host, start.launcher) || isRunning(host, start.agent)) return running(start);
  const late = directory.readExit();
  return late === undefined ? lost(unseenReason(directory)) : recorded(late);
}

/** Why it is not known how it ended, after its record was looked for. */
function unseenReason({ fault }: AttemptDirectory): string {
  const recorded =
    fault === undefined ? 'its launcher did not record how' : `the record of how cannot be read: ${fault}`;
  return `it ended while Signalbox was not running, and ${recorded}`;
}

/** Whether processes of the attempt are there, and not only a launcher that finds out that it may not start. */
async function staysMarked(host: Host, marker: string): Promise<boolean> {
  const end = performance.now() + MAX_GIVING_UP_MS;
  while ((await host.scans.scan('0')).marked(marker).some(isAlive)) {
    if (performance.now() > end) return true;
    await pause(POLL_MS);
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
  const start = await untilStarted(host, directory, marker, () => !isLauncher(host, launcher, marker));
  if (start !== undefined) return start;
  const end = performance.now() + MAX_START_MS;
  while ((await host.scans.scan('0')).marked(marker).some(isAlive)) {
    const late = await checkedStart(host, directory, marker);
    if (late !== undefined && late !== 'unclear') return late;
    if (performance.now() > end) return 'unclear';
    await pause(POLL_MS);
  }
  return checkedStart(host, directory, marker);
}

function notStarted(reason: string): AdoptionFinding {
  return { kind: 'never_started', reason };
}
