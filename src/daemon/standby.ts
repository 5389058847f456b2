/**
 * A standby: follows the log, waits for the lease, and takes over.
 *
 * Invariant standby/acts-only-with-lease: without the lease it writes nothing, starts nothing and listens nowhere. The
 * lease only says when to try; the earlier writer is kept out by the log itself (journal/one-writer).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { SignalboxError } from '../contracts/errors.ts';
import { STANDBY_SUBJECT } from '../contracts/messages/subjects.ts';
import { Lease, type LeaseHolder, type LeaseOptions } from '../journal/lease.ts';
import type { AnswerableRequests } from '../nats/answerable.ts';
import { type NatsLink, type NatsLinkOptions, openNatsLink } from './nats-link.ts';

/** Milliseconds between two attempts to read the log, or to get a data directory that is in use. */
const FOLLOW_MS = 250;
/** Milliseconds within which messages in flight of an earlier writer are stored. */
const SETTLE_MS = 100;

/**
 * Connects to NATS. With an embedded server, waits until the other Signalbox has released the data directory.
 * @throws SignalboxError as `openNatsLink`, except `log_in_use`
 */
export async function awaitNatsLink(options: NatsLinkOptions): Promise<NatsLink> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await openNatsLink(options);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'log_in_use') throw error;
      if (isFirst) options.logger.info({ reason: error.message }, 'waiting for the data directory');
      await delay(FOLLOW_MS);
    }
  }
}

/**
 * Follows the log until the lease is free, and takes it.
 * @throws SignalboxError `log_corrupt`, `replay_diverged`
 */
export async function awaitLease(
  options: LeaseOptions,
  follow: () => Promise<void>,
  logger: Logger,
): Promise<Lease> {
  const waiting = new AbortController();
  const leased = Lease.await(options, waiting.signal);
  try {
    const isLeased = leased.then(() => true);
    while (!(await Promise.race([isLeased, delay(FOLLOW_MS, false)]))) await readOn(follow, logger);
  } catch (error) {
    waiting.abort();
    // The waiting itself may have failed.
    leased.then((lease) => lease?.release()).catch(() => {});
    throw error;
  }
  const lease = await leased;
  if (!lease) throw new SignalboxError('internal', 'waiting for the lease ended without the lease');
  await delay(SETTLE_MS);
  await follow();
  return lease;
}

async function readOn(follow: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await follow();
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'nats_unavailable') throw error;
    logger.debug({ err: error }, 'could not follow the log');
  }
}

/** Milliseconds that standbys get to answer. */
const ANSWER_MS = 300;

export type Standby = Pick<LeaseHolder, 'host' | 'pid' | 'since'>;

/** Answers requests for standbys over NATS. @returns a function that ends it */
export function answerAsStandby(
  connection: NatsConnection,
  answerable: AnswerableRequests,
  { host, pid, since }: Standby,
): () => void {
  const answer = JSON.stringify({ host, pid, since });
  const subscription = connection.subscribe(STANDBY_SUBJECT, {
    callback: (error, message) => {
      if (!error && answerable.allows(message)) message.respond(answer);
    },
  });
  return () => subscription.unsubscribe();
}

export async function findStandbys(connection: NatsConnection): Promise<Standby[]> {
  const standbys: Standby[] = [];
  try {
    const options = { strategy: 'timer', maxWait: ANSWER_MS } as const;
    for await (const message of await connection.requestMany(STANDBY_SUBJECT, '', options)) {
      standbys.push(message.json<Standby>());
    }
  } catch {
    // No standby listens, or this connection may not ask.
  }
  return standbys;
}
