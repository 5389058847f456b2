import type { KillTarget } from '../kill/kill.ts';
import type { TreeEntry } from '../runner.ts';
import type { Host } from './host.ts';
import { findOwned } from './ownership.ts';
import { isAlive, type ProcessEntry } from './process-table.ts';

/** The living processes of an attempt, in the order in which they started. */
export async function treeOf(host: Host, target: KillTarget): Promise<readonly TreeEntry[]> {
  const since = target.launcher?.startTime ?? '0';
  const known = [target.launcher, target.agent].filter((key) => key !== undefined);
  const owned = findOwned(await host.scans.scan(since), {
    known,
    marker: target.marker,
    since,
    own: host.own,
  });
  const entries = owned.map(({ entry }) => entry).filter(isAlive);
  entries.sort((a, b) => Number(a.startTime) - Number(b.startTime) || a.pid - b.pid);
  return Promise.all(entries.map((entry) => describe(host, entry)));
}

async function describe(host: Host, entry: ProcessEntry): Promise<TreeEntry> {
  const { pid, ppid, startTime, state, name, cpuMs } = entry;
  const command = (await host.table.commandLine(pid)) ?? name;
  const ageMs = host.table.ageMs(entry);
  const memoryBytes = host.table.memory(pid)?.nowBytes;
  return {
    pid,
    parentPid: ppid,
    startTime,
    state,
    command,
    ageMs,
    ...(cpuMs !== undefined && { cpuMs }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
}
