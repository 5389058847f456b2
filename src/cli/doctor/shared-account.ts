/** Whether users of an external NATS server share the account with the log, as they did up to 0.1.0. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { pause } from '../../base/time.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { messageOf } from '../../contracts/errors.ts';
import { EVENT_STREAM, inboxPrefix, probeSubject, WORK_STREAM } from '../../contracts/messages/subjects.ts';
import { readUsers } from '../../daemon/embedded/users-file.ts';
import { tlsOf } from '../../daemon/nats-address.ts';
import type { NatsLink } from '../../daemon/nats-link.ts';
import type { NatsUser } from '../../nats/nats-users.ts';
import { readCredentials } from '../../worker/credentials.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Milliseconds in which an answer arrives, if it goes to the account with the log. */
const ANSWER_MS = 300;

/**
 * Sends a harmless request as each user whose credentials lie beside those of Signalbox, with a reply subject that only
 * Signalbox may use. In the account with the log its answer arrives there.
 */
export async function checkSharedAccount({ nats }: SignalboxConfig, link: NatsLink): Promise<Finding[]> {
  if (nats.credentials === undefined) return [];
  const directory = dirname(nats.credentials);
  const sharing: string[] = [];
  let tried = 0;
  try {
    const { users } = await readUsers(directory);
    for (const user of users.filter(({ role }) => role !== 'supervisor')) {
      const file = join(directory, user.nkey === undefined ? `${user.name}.json` : `${user.name}.nk`);
      if (!existsSync(file)) continue;
      tried++;
      if (await reachesLog(user, file, link)) sharing.push(user.name);
    }
  } catch (error) {
    return [warn('nats users', `cannot be checked: ${messageOf(error)}`, 'fix the users or their server')];
  }
  if (tried === 0) return [];
  if (sharing.length === 0)
    return [ok('nats users', `${tried} tried; none reaches the account with the log`)];
  return [
    fail(
      'nats users',
      `these users share the account with the log, and can delete it: ${sharing.join(', ')}`,
      `give them accounts of their own: run "signalbox nats users --out ${directory}", and include accounts.conf (docs/how-to/use-your-own-nats-server.md)`,
    ),
  ];
}

async function reachesLog(user: NatsUser, file: string, { address, connection }: NatsLink): Promise<boolean> {
  const probe = probeSubject(randomBytes(12).toString('hex'));
  let isReached = false;
  const subscription = connection.subscribe(probe, {
    callback: () => {
      isReached = true;
    },
  });
  let own: NatsConnection | undefined;
  try {
    await connection.flush();
    const tls = tlsOf(address);
    own = await connect({
      servers: address.servers,
      authenticator: await readCredentials(file),
      inboxPrefix: inboxPrefix(user.name),
      noAsyncTraces: true,
      reconnect: false,
      ...(tls !== undefined && { tls }),
    });
    const isAgent = user.role === 'agent';
    const subject = isAgent
      ? `$JS.API.CONSUMER.INFO.${WORK_STREAM}.${user.name}`
      : `$JS.API.DIRECT.GET.${EVENT_STREAM}`;
    own.publish(subject, isAgent ? '' : '{"seq":1}', { reply: probe });
    await own.flush();
    await pause(ANSWER_MS, new AbortController().signal);
    await connection.flush();
    return isReached;
  } finally {
    subscription.unsubscribe();
    await own?.close();
  }
}
