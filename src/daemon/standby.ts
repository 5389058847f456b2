/**
 * A standby: reads along, waits for its turn, and takes over.
 *
 * B1 Until the lease is its own it writes nothing, starts nothing and listens nowhere.
 * B2 The lease only says when to try. What keeps the earlier writer out is the log itself (J2 of journal.ts): the first
 *    event of the new one breaks the chain of everything that the earlier one has in flight or sends when it wakes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SignalboxError } from '../contracts/errors.ts';
import { Lease, type LeaseOptions } from '../journal/lease.ts';
import { type NatsLink, type NatsLinkOptions, openNatsLink } from './nats-link.ts';

/** Milliseconds between two looks at the log, and at a data directory that is taken. */
const FOLLOW_MS = 250;
/** What an earlier writer had on its way when it died is stored within this time. */
const SETTLE_MS = 100;

/**
 * The connection to NATS, once there is one to be had: with a server of its own, Signalbox has to wait until the other
 * one has let go of the data directory.
 * @throws SignalboxError as `openNatsLink`, but for `log_in_use`
 */
export async function awaitNatsLink(options: NatsLinkOptions): Promise<NatsLink> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await openNatsLink(options);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'log_in_use') throw error;
      if (isFirst) options.logger.info({ reason: error.message }, 'standing by for the data directory');
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
    // It may be the waiting itself that failed.
    leased.then((lease) => lease?.release()).catch(() => {});
    throw error;
  }
  const lease = await leased;
  if (!lease)
    throw new SignalboxError('internal', 'nobody ended the waiting for the lease, and it has ended');
  await delay(SETTLE_MS);
  await follow();
  return lease;
}

async function readOn(follow: () => Promise<void>, logger: Logger): Promise<void> {
  try {
    await follow();
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== 'nats_unavailable') throw error;
    logger.debug({ err: error }, 'the log cannot be followed at the moment');
  }
}
