/** Who this process is, and whether another one of this machine still lives. */
import type { LeaseHolder } from '../journal/lease.ts';
import type { Host } from '../process/host/host.ts';
import { findAlive } from '../process/host/process-table.ts';

export function leaseHolder(host: Host, writer: string, now: number): LeaseHolder {
  const own = host.table.lookup(process.pid);
  return {
    writer,
    host: host.name,
    pid: process.pid,
    startTime: own?.startTime ?? '',
    bootId: host.bootId ?? '',
    since: new Date(now).toISOString(),
  };
}

/** Certain only for a process of this machine; of another one nothing is known but its lease. */
export function fateOf(host: Host, holder: LeaseHolder): 'gone' | 'alive' | 'unknown' {
  if (holder.host !== host.name) return 'unknown';
  if (holder.bootId !== (host.bootId ?? '')) return host.bootId === undefined ? 'unknown' : 'gone';
  return findAlive(host.table, holder) ? 'alive' : 'gone';
}
