import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptDirectory } from './files/attempt-directory.ts';
import type { Host } from './host/host.ts';
import { isAlive, type ProcessKey, sameProcess } from './host/process-table.ts';

/** On an idle machine the launcher needs two milliseconds to the command. */
const POLL_MS_MIN = 2;
const POLL_MS_MAX = 20;
export const START_MS_MAX = 30_000;

export interface StartRecord {
  readonly launcher: ProcessKey;
  readonly agent: ProcessKey;
}

/**
 * Waits until the launcher has started its command, or is gone.
 * @param launcherGone asked before the records are read, so that they are final once it says yes
 * @returns undefined if the launcher is gone and has not come that far; `unclear` if neither happened within 30 seconds
 */
export async function untilStarted(
  host: Host,
  directory: AttemptDirectory,
  launcherGone: () => boolean,
): Promise<StartRecord | 'unclear' | undefined> {
  const end = performance.now() + START_MS_MAX;
  for (let pollMs = POLL_MS_MIN; performance.now() < end; pollMs = Math.min(pollMs + 1, POLL_MS_MAX)) {
    const gone = launcherGone();
    const start = readStart(host, directory);
    if (gone || (start !== undefined && isExecuting(host, start.agent))) return start;
    await pause(pollMs);
  }
  return 'unclear';
}

/** The launcher identifies itself before its command does, so both are known or the command was not executed. */
export function readStart(host: Host, directory: AttemptDirectory): StartRecord | undefined {
  const agent = readKey(host, directory, 'agent');
  const launcher = agent === undefined ? undefined : readKey(host, directory, 'launcher');
  return agent === undefined || launcher === undefined ? undefined : { launcher, agent };
}

export function readKey(
  host: Host,
  directory: AttemptDirectory,
  file: 'launcher' | 'agent',
): ProcessKey | undefined {
  const line = directory.readRecord(file);
  return line === undefined ? undefined : host.table.parseRecord(line);
}

/** False between fork and exec; false, too, if it is gone already: then the launcher's record tells why. */
function isExecuting(host: Host, agent: ProcessKey): boolean {
  const entry = host.table.lookup(agent.pid);
  return isAlive(entry) && sameProcess(entry, agent) && entry.beforeExec !== true;
}
