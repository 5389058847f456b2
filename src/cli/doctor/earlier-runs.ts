/**
 * What an earlier Signalbox may have left behind, and its repair.
 *
 * Nothing is changed without `repair`, nor while a Signalbox runs on the data directory, or may do so.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { messageOf, unreachable } from '../../contracts/errors.ts';
import { lstatIfThere, namesIn } from '../../daemon/embedded/files.ts';
import { layoutOf } from '../../daemon/embedded/layout.ts';
import { readPid } from '../../daemon/embedded/running.ts';
import { type LockHolder, livenessOf, readHolder } from '../../daemon/lock-holder.ts';
import { isServerGiven } from '../../daemon/nats-address.ts';
import { openNatsLink } from '../../daemon/nats-link.ts';
import { findStandbys } from '../../daemon/standby.ts';
import { deleteLease, holderText, readLease } from '../../journal/lease.ts';
import { createHost, type Host } from '../../process/host/host.ts';
import { isAlive } from '../../process/host/process-table.ts';
import { SUPPORTED_PLATFORMS } from '../platform.ts';
import { type Check, type CheckContext, type Finding, fail, ok, warn } from './finding.ts';
import { checkOrphans } from './orphans.ts';

type HostCheck = (context: CheckContext, host: Host) => Promise<readonly Finding[]>;

export const checkEarlierRuns: Check = async (context) => {
  if (!SUPPORTED_PLATFORMS.includes(process.platform)) return [];
  const host = createHost(pino({ level: 'silent' }), Date.now);
  const holder = await readHolder(context.config.data_dir, host);
  const isFree = holder.kind === 'none';
  const allowed = { ...context, repair: context.repair && isFree };
  const lease = guarded('lease', checkLease)(allowed, host);
  if (!isFree) return [...(context.repair ? [refusal(context, holder)] : []), ...(await lease)];
  const found = await Promise.all([
    guarded('orphans', checkOrphans)(allowed, host),
    guarded('stale files', checkStaleFiles)(allowed, host),
    lease,
  ]);
  return found.flat();
};

function refusal({ config }: CheckContext, holder: Exclude<LockHolder, { kind: 'none' }>): Finding {
  if (holder.kind === 'alive') {
    const { pid, since } = holder.holder;
    const detail = `nothing was changed: a Signalbox is running on ${config.data_dir} (process ${pid}, since ${since})`;
    return fail(
      'repair',
      detail,
      'stop it first; a running Signalbox cleans up after earlier runs by itself',
    );
  }
  const advice = 'make sure that no Signalbox is running on it, delete that file, and repair again';
  return fail('repair', `nothing was changed: ${holder.reason}`, advice);
}

function guarded(name: string, check: HostCheck): HostCheck {
  return (context, host) =>
    check(context, host).catch((error: unknown) => [
      fail(name, `check failed: ${messageOf(error)}`, 'fix the cause, and run doctor again'),
    ]);
}

const LEASE = 'lease';

export async function checkLease(
  { config, env, repair }: CheckContext,
  host: Host,
): Promise<readonly Finding[]> {
  if (!isServerGiven(config)) {
    return [ok(LEASE, 'on the embedded server: "up" takes it over at once if its holder is gone')];
  }
  // The check of NATS reports a server that cannot be reached.
  const link = await openNatsLink({ config, logger: pino({ level: 'silent' }), env }).catch(() => null);
  if (link === null) return [];
  try {
    return [...(await checkHolder(link.connection, host, repair)), ...(await checkStandbys(link.connection))];
  } finally {
    await link.close();
  }
}

async function checkStandbys(connection: NatsConnection): Promise<Finding[]> {
  const standbys = await findStandbys(connection);
  return standbys.map(({ pid, host, since }) =>
    ok('standby', `process ${pid} on host ${host} is waiting, since ${since}`),
  );
}

async function checkHolder(
  connection: NatsConnection,
  host: Host,
  repair: boolean,
): Promise<readonly Finding[]> {
  const lease = await readLease(connection);
  if (lease === null) return [ok(LEASE, 'free')];
  const { holder, revision } = lease;
  if (holder === null) return [warn(LEASE, 'its holder is unknown', 'it expires in seconds')];
  const who = holderText(holder);
  const liveness = livenessOf(host, holder);
  switch (liveness) {
    case 'alive':
      return [ok(LEASE, `held by ${who}, which is alive`)];
    case 'unknown':
      return [ok(LEASE, `held by ${who}; cannot check from here whether it is alive`)];
    case 'gone':
      if (!repair) return [warn(LEASE, `held by ${who}, which is gone`, '"up" takes it over at once')];
      await deleteLease(connection, revision);
      return [ok(LEASE, `released; its holder, ${who}, is gone`)];
    default:
      return unreachable(liveness, 'checkLease');
  }
}

const STALE_FILES = 'stale files';
/** An older temporary file does not belong to a copy in progress. */
const TEMPORARY_MS = 86_400_000;

export async function checkStaleFiles(
  { config, repair }: CheckContext,
  host: Host,
): Promise<readonly Finding[]> {
  const found = await Promise.all([
    serverFiles(config.data_dir, host),
    temporaryFiles(config.data_dir, host),
  ]);
  const files = found.flat();
  if (files.length === 0) return [ok(STALE_FILES, 'none')];
  const list = files.join('\n');
  if (!repair) return [warn(STALE_FILES, list, 'harmless; "doctor --repair" removes them')];
  for (const file of files) await rm(file, { force: true });
  return [ok(STALE_FILES, `removed:\n${list}`)];
}

/** Files of an embedded NATS server that is gone. A reused pid counts as alive. */
async function serverFiles(dataDirectory: string, host: Host): Promise<string[]> {
  const layout = layoutOf(dataDirectory);
  const isGone = (pid: number): boolean => !isAlive(host.table.lookup(pid));
  const ports = (await namesIn(layout.runDir)).filter((name) => {
    const [, pid] = /_(\d+)\.ports$/.exec(name) ?? [];
    return pid !== undefined && isGone(Number(pid));
  });
  const server = await readPid(layout);
  const stale = ports.map((name) => join(layout.runDir, name));
  return server !== undefined && isGone(server) ? [...stale, layout.pidFile] : stale;
}

/** Captured files whose copy was interrupted. */
async function temporaryFiles(dataDirectory: string, host: Host): Promise<string[]> {
  const directory = join(dataDirectory, 'content');
  const stale: string[] = [];
  for (const name of await namesIn(directory)) {
    if (!name.startsWith('.')) continue;
    const file = join(directory, name);
    const info = await lstatIfThere(file);
    if (info?.isFile() && info.mtimeMs < host.now() - TEMPORARY_MS) stale.push(file);
  }
  return stale;
}
