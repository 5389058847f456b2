/** The machine that processes run on. */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { SignalboxError } from '../../contracts/errors.ts';
import { Signaller } from '../kill/signals.ts';
import type { ProcessIdentity } from '../runner.ts';
import { DarwinProcessTable } from './darwin-processes.ts';
import { LinuxProcessTable } from './linux-processes.ts';
import type { OwnProcess } from './ownership.ts';
import type { ProcessKey, ProcessTable } from './process-table.ts';
import { SharedScan } from './scans.ts';

/** The machine, and this process on it. */
export interface Host {
  readonly name: string;
  readonly bootId: string | undefined;
  readonly own: OwnProcess;
  readonly table: ProcessTable;
  readonly scans: SharedScan;
  readonly signaller: Signaller;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** @throws SignalboxError `internal` on an unsupported system, or without /proc */
export function createHost(log: Logger, now: () => number): Host {
  const table = createTable();
  const own = table.lookup(process.pid);
  if (own === undefined) {
    throw new SignalboxError(
      'internal',
      `the process table does not show pid ${process.pid}: is /proc mounted?`,
    );
  }
  return {
    name: hostname(),
    bootId: table.bootId(),
    own,
    table,
    scans: new SharedScan(table),
    signaller: new Signaller(table, own, now),
    log,
    now,
  };
}

export function identityOf(host: Host, key: ProcessKey): ProcessIdentity {
  const identity = { pid: key.pid, startTime: key.startTime, host: host.name };
  return host.bootId === undefined ? identity : { ...identity, bootId: host.bootId };
}

function createTable(): ProcessTable {
  if (process.platform === 'linux') return new LinuxProcessTable();
  if (process.platform === 'darwin') return new DarwinProcessTable();
  throw new SignalboxError('internal', `cannot run agents on ${process.platform}: use Linux or macOS`);
}
