/**
 * Which Signalbox holds the data directory, recorded in a file for those that cannot ask NATS. The file excludes no
 * other process; the lease and the journal do.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfExists } from '../base/files.ts';
import { holdsLease, type LeaseHolder, parseHolder } from '../journal/lease.ts';
import type { Host } from '../process/host/host.ts';
import { findAlive } from '../process/host/process-table.ts';
import { replaceFile } from './embedded/files.ts';

const FILE = 'occupant.json';

export type LockHolder =
  | { readonly kind: 'none' }
  | { readonly kind: 'alive'; readonly holder: LeaseHolder }
  /** It may be running: on another machine, or the file is damaged. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** This process as the holder of the lease and of the data directory. */
export function ownHolder(host: Host, writer: string, now: number): LeaseHolder {
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

/**
 * Certain only for a process of this machine. A Signalbox that has stopped in this process may have left its lease, if
 * the server did not answer; or another thread has it: which of the two, only its renewals tell.
 */
export function livenessOf(host: Host, holder: LeaseHolder): 'gone' | 'alive' | 'unknown' {
  if (holder.host !== host.name) return 'unknown';
  if (holder.bootId !== (host.bootId ?? '')) return host.bootId === undefined ? 'unknown' : 'gone';
  if (!findAlive(host.table, holder)) return 'gone';
  return holder.pid === process.pid && !holdsLease(holder.writer) ? 'unknown' : 'alive';
}

/** To be called by the holder of the lease. @returns a function that removes the file */
export async function writeHolder(dataDirectory: string, holder: LeaseHolder): Promise<() => Promise<void>> {
  const file = join(dataDirectory, FILE);
  await replaceFile(file, `${JSON.stringify(holder)}\n`);
  return () => rm(file, { force: true });
}

export async function readHolder(dataDirectory: string, host: Host): Promise<LockHolder> {
  const file = join(dataDirectory, FILE);
  const text = await readIfExists(file);
  if (text === null) return { kind: 'none' };
  const holder = parseHolder(text);
  if (holder === null) return { kind: 'unknown', reason: `${file} is damaged` };
  const state = livenessOf(host, holder);
  if (state === 'gone') return { kind: 'none' };
  if (state === 'alive') return { kind: 'alive', holder };
  return { kind: 'unknown', reason: `process ${holder.pid} of host ${holder.host} may run on it (${file})` };
}
