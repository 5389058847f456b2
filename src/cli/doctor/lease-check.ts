/** The writer's lease on the log, and who waits for it. */
import type { NatsConnection } from '@nats-io/transport-node';
import { pino } from 'pino';
import { unreachable } from '../../contracts/errors.ts';
import { stateOf } from '../../daemon/lock-holder.ts';
import { isServerGiven } from '../../daemon/nats-address.ts';
import { openNatsLink } from '../../daemon/nats-link.ts';
import { findStandbys } from '../../daemon/standby.ts';
import { deleteLease, readLease } from '../../journal/lease.ts';
import type { Host } from '../../process/host/host.ts';
import { type CheckContext, type Finding, ok, warn } from './finding.ts';

const CHECK = 'lease';

export async function checkLease(
  { config, env, repair }: CheckContext,
  host: Host,
): Promise<readonly Finding[]> {
  if (!isServerGiven(config)) {
    return [
      ok(CHECK, 'of the embedded server: needs no repair, "up" takes it at once from a holder that is gone'),
    ];
  }
  // A server that cannot be reached is told by the check of NATS.
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
    ok('standby', `process ${pid} on host ${host} waits, since ${since}`),
  );
}

async function checkHolder(
  connection: NatsConnection,
  host: Host,
  repair: boolean,
): Promise<readonly Finding[]> {
  const lease = await readLease(connection);
  if (lease === null) return [ok(CHECK, 'free')];
  const { holder, revision } = lease;
  if (holder === null) return [warn(CHECK, 'its holder did not say who it is', 'it runs out in seconds')];
  const who = `process ${holder.pid} on host ${holder.host}, since ${holder.since}`;
  const fate = stateOf(host, holder);
  switch (fate) {
    case 'alive':
      return [ok(CHECK, `held by ${who}, which is alive`)];
    case 'unknown':
      return [ok(CHECK, `held by ${who}; whether it is alive cannot be seen from here`)];
    case 'gone':
      if (!repair) return [warn(CHECK, `held by ${who}, which is gone`, '"up" takes it over at once')];
      await deleteLease(connection, revision);
      return [ok(CHECK, `taken from ${who}, which is gone`)];
    default:
      return unreachable(fate, 'checkLease');
  }
}
