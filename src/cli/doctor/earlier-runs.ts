/**
 * What an earlier Signalbox may have left behind, and its repair.
 *
 * D1 Nothing is changed without `repair`, nor while a Signalbox runs on the data directory, or may do so.
 */
import { pino } from 'pino';
import { messageOf } from '../../contracts/errors.ts';
import { type LockHolder, readHolder } from '../../daemon/lock-holder.ts';
import { createHost, type Host } from '../../process/host/host.ts';
import { SUPPORTED_PLATFORMS } from '../platform.ts';
import { type Check, type CheckContext, type Finding, fail } from './finding.ts';
import { checkLease } from './lease-check.ts';
import { checkOrphans } from './orphans.ts';
import { checkStaleFiles } from './stale-files.ts';

type HostCheck = (context: CheckContext, host: Host) => Promise<readonly Finding[]>;

export const checkEarlierRuns: Check = async (context) => {
  if (!SUPPORTED_PLATFORMS.includes(process.platform)) return [];
  const host = createHost(pino({ level: 'silent' }), Date.now);
  const lockHolder = await readHolder(context.config.data_dir, host);
  const isFree = lockHolder.kind === 'none';
  const allowed = { ...context, repair: context.repair && isFree }; // D1
  const lease = guarded('lease', checkLease)(allowed, host);
  if (!isFree) return [...(context.repair ? [refusal(context, lockHolder)] : []), ...(await lease)];
  const found = await Promise.all([
    guarded('orphans', checkOrphans)(allowed, host),
    guarded('stale files', checkStaleFiles)(allowed, host),
    lease,
  ]);
  return found.flat();
};

function refusal({ config }: CheckContext, lockHolder: Exclude<LockHolder, { kind: 'none' }>): Finding {
  if (lockHolder.kind === 'alive') {
    const { pid, since } = lockHolder.holder;
    const detail = `nothing was changed: a Signalbox runs on ${config.data_dir} (process ${pid}, since ${since})`;
    return fail('repair', detail, 'stop it first; what it finds from an earlier run it takes care of itself');
  }
  const advice = 'make sure that none runs on it, delete that file, and repair again';
  return fail('repair', `nothing was changed: ${lockHolder.reason}`, advice);
}

function guarded(name: string, check: HostCheck): HostCheck {
  return (context, host) =>
    check(context, host).catch((error: unknown) => [
      fail(name, `could not be looked at: ${messageOf(error)}`, 'correct that, and ask again'),
    ]);
}
