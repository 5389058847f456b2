/** Waits for the start of a process. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory } from './files/attempt-directory.ts';
import type { Host } from './host/host.ts';
import { isAlive, type ProcessKey, sameProcess } from './host/process-table.ts';
import { checkedStart, isLauncher, isRunning, livingOf, readStart, type StartRecord } from './living.ts';

/** On an idle machine the launcher executes the command after two milliseconds. */
const MIN_POLL_MS = 2;
const MAX_POLL_MS = 20;
const MAX_START_MS = 30_000;
/** When a start is looked for in the process table, because its records are missing or were replaced. */
const LOOK_AFTER_MS = 250;

/**
 * Waits until the launcher has started its command, or is gone.
 * @param launcherGone called before the records are read, so that they are final if it returns true
 * @returns undefined if the launcher ended before it started the command; `unclear` if neither happened in 30 seconds, or if
 * the launcher is gone and its records name a process that nothing connects to the attempt
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
    if (gone) return checkedStart(host, directory, marker);
    if (start !== undefined && isExecuting(host, start.agent) && isMarked(host, start, marker)) return start;
    if (performance.now() > lookAt) {
      // Before any record of an end, which the agent can write, too.
      const { start: found } = await livingOf(host, directory, { marker, known: undefined });
      if (found !== undefined && isExecuting(host, found.agent)) return found;
      // It has ended already, and the launcher waits for output that a child of it holds open.
      if (start !== undefined && hasEnded(host, directory, start, marker)) return start;
      lookAt = performance.now() + LOOK_AFTER_MS;
    }
    await pause(pollMs);
  }
  return 'unclear';
}

/** Whether the recorded agent is gone, and the recorded launcher, which is still there, is that of this attempt. */
function hasEnded(host: Host, directory: AttemptDirectory, start: StartRecord, marker: string): boolean {
  if (directory.readExit() === undefined || isRunning(host, start.agent)) return false;
  return isLauncher(host, start.launcher, marker);
}

function nextPoll(pollMs: number): number {
  return Math.min(pollMs + 1, MAX_POLL_MS);
}

/** Whether the records name a launcher of this attempt and its child: the agent may have replaced them already. */
function isMarked(host: Host, { launcher, agent }: StartRecord, marker: string): boolean {
  return isLauncher(host, launcher, marker) && host.table.lookup(agent.pid)?.ppid === launcher.pid;
}

/** False between fork and exec, and if it has ended already: then the launcher's record tells why. */
function isExecuting(host: Host, agent: ProcessKey): boolean {
  const entry = host.table.lookup(agent.pid);
  return isAlive(entry) && sameProcess(entry, agent) && entry.beforeExec !== true;
}
