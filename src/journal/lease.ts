/**
 * The writer's lease, in a NATS key-value bucket: tells a second Signalbox who writes the log, and a standby when to
 * take over.
 *
 * It is a courtesy, not the safety: two writers are kept apart by the journal's chain (J2 of journal.ts), whatever
 * clocks and leases do.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { LEASE_BUCKET } from '../contracts/messages/subjects.ts';
import { unavailable } from './failures.ts';
import { whenPlaceable } from './jetstream/placement.ts';
import { keepReplicas } from './jetstream/replicas.ts';

export interface LeaseHolder {
  readonly writer: string;
  readonly host: string;
  readonly pid: number;
  readonly startTime: string;
  /** Changes with every start of the machine. */
  readonly bootId: string;
  /** RFC 3339 */
  readonly since: string;
}

export interface LeaseOptions {
  readonly connection: NatsConnection;
  /** Servers that keep it; 1 by default. */
  readonly replicas?: number;
  readonly holder: LeaseHolder;
  /** What is known of a holder: one that is gone need not run out, one that lives is not waited for. */
  readonly fateOf: (holder: LeaseHolder) => 'gone' | 'alive' | 'unknown';
  readonly logger: Logger;
  /** Another holder has it: this process is not the writer any more. */
  readonly onLost: (holder: LeaseHolder | null) => void;
  /** Milliseconds after which a lease that is not renewed is over. */
  readonly ttlMs?: number;
}

const KEY = 'writer';
const TTL_MS = 10_000;
const RENEWALS_PER_TTL = 10;
/** A holder that misses this many renewals in a row is taken for stopped by a standby. */
const MISSED_RENEWALS = 3.5;
const LOOKS_PER_TTL = 20;
/** Milliseconds that the server gets for each answer, at least. */
const MIN_ANSWER_MS = 500;

export class Lease {
  readonly #kv: KV;
  readonly #options: LeaseOptions;
  readonly #ttlMs: number;
  #revision: number;
  #timer: NodeJS.Timeout;

  private constructor(kv: KV, options: LeaseOptions, ttlMs: number, revision: number) {
    this.#kv = kv;
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#revision = revision;
    this.#timer = this.#schedule();
  }

  /**
   * Takes the lease, waiting for one that is about to run out.
   * @throws SignalboxError `log_in_use`, naming the holder; `nats_unavailable`
   */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    try {
      return await Lease.#acquire(options);
    } catch (cause) {
      if (cause instanceof SignalboxError) throw cause;
      throw unavailable('the lease of the log cannot be taken', cause);
    }
  }

  static async #acquire(options: LeaseOptions): Promise<Lease> {
    const ttlMs = options.ttlMs ?? TTL_MS;
    const kv = await openBucket(options, ttlMs);
    const value = JSON.stringify(options.holder);
    const first = await kv.get(KEY);
    const patience = Date.now() + ttlMs + ttlMs / 2;
    for (;;) {
      const revision = await take(kv, value, options);
      if (revision !== null) return new Lease(kv, options, ttlMs, revision);
      const entry = await kv.get(KEY);
      if (!entry) continue;
      const holder = holderOf(entry.string());
      const renewed = first !== null && entry.revision !== first.revision;
      const isAlive = renewed || (holder !== null && options.fateOf(holder) === 'alive');
      if (isAlive || Date.now() > patience) throw inUse(holder);
      await delay(ttlMs / LOOKS_PER_TTL);
    }
  }

  /**
   * Waits for the lease as long as it takes: until its holder gives it back, is gone, or renews it no more. An outage
   * of the server is waited for, too.
   * @param signal ends the waiting. @returns null where it was ended
   */
  static async await(options: LeaseOptions, signal: AbortSignal): Promise<Lease | null> {
    const ttlMs = options.ttlMs ?? TTL_MS;
    const patienceMs = (ttlMs / RENEWALS_PER_TTL) * MISSED_RENEWALS;
    let kv: KV | null = null;
    let seen = { revision: -1, at: performance.now() };
    while (!signal.aborted) {
      try {
        kv ??= await openBucket(options, ttlMs);
        const entry = await kv.get(KEY);
        if (entry && entry.revision !== seen.revision)
          seen = { revision: entry.revision, at: performance.now() };
        const isStale = performance.now() - seen.at > patienceMs;
        const revision = await take(kv, JSON.stringify(options.holder), options, isStale);
        if (revision !== null) return new Lease(kv, options, ttlMs, revision);
      } catch (error) {
        options.logger.debug({ err: error }, 'the lease cannot be looked at');
        // Nobody can renew what nobody can reach: the time until the server is back does not count.
        seen = { revision: -1, at: performance.now() };
      }
      await delay(ttlMs / LOOKS_PER_TTL);
    }
    return null;
  }

  /** Gives it back, so that the next Signalbox need not wait. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#kv.delete(KEY, { previousSeq: this.#revision }).catch(() => {});
  }

  #schedule(): NodeJS.Timeout {
    return setTimeout(() => void this.#renew(), this.#ttlMs / RENEWALS_PER_TTL).unref();
  }

  async #renew(): Promise<void> {
    const { holder, logger, onLost } = this.#options;
    try {
      this.#revision = await this.#kv.update(KEY, JSON.stringify(holder), this.#revision);
    } catch (error) {
      logger.warn({ err: error }, `the lease was not renewed at once: ${messageOf(error)}`);
      const present = await this.#regain().catch((err: unknown) => {
        logger.debug({ err }, 'the lease cannot be looked at');
        return holder;
      });
      if (present?.writer !== holder.writer) return onLost(present);
    }
    this.#timer = this.#schedule();
  }

  /** @returns who has it now; `null` for one who did not say who it is. Rejects where the server does not answer */
  async #regain(): Promise<LeaseHolder | null> {
    const { holder } = this.#options;
    const entry = await this.#kv.get(KEY);
    if (entry?.operation === 'PUT') {
      const present = holderOf(entry.string());
      if (present?.writer === holder.writer) this.#revision = entry.revision;
      return present;
    }
    // It ran out while the server was away, or somebody gave it back who could not use it: take it again, unless
    // another one was quicker.
    this.#revision = (await take(this.#kv, JSON.stringify(holder), this.#options)) ?? this.#revision;
    return holder;
  }
}

async function openBucket({ connection, replicas = 1 }: LeaseOptions, ttlMs: number): Promise<KV> {
  const kv = await whenPlaceable(() =>
    new Kvm(connection).create(LEASE_BUCKET, { history: 1, ttl: ttlMs, replicas }),
  );
  const { streamInfo } = await kv.status();
  await keepReplicas(await jetstreamManager(connection), streamInfo.config, replicas);
  // A question that is lost with a server must be asked again before a standby takes its silence for the holder's.
  const timeout = Math.max(MIN_ANSWER_MS, ttlMs / RENEWALS_PER_TTL);
  return new Kvm(jetstream(connection, { timeout })).open(LEASE_BUCKET);
}

/** Who has the lease now; null where it is free. `holder` is null where the holder did not say who it is. */
export async function readLease(
  connection: NatsConnection,
): Promise<{ readonly holder: LeaseHolder | null; readonly revision: number } | null> {
  const kvm = new Kvm(connection);
  for await (const { bucket } of kvm.list()) {
    if (bucket !== LEASE_BUCKET) continue;
    const entry = await (await kvm.open(bucket)).get(KEY);
    return entry && entry.operation === 'PUT'
      ? { holder: holderOf(entry.string()), revision: entry.revision }
      : null;
  }
  return null;
}

/** Takes the lease from a holder that is gone. Rejects where it has changed since it was read. */
export async function deleteLease(connection: NatsConnection, revision: number): Promise<void> {
  const kv = await new Kvm(connection).open(LEASE_BUCKET);
  await kv.delete(KEY, { previousSeq: revision });
}

/**
 * The revision, or null where somebody else holds it.
 * @param isStale whether it may be taken from a holder that is not known to be gone
 */
async function take(
  kv: KV,
  value: string,
  { fateOf }: LeaseOptions,
  isStale = false,
): Promise<number | null> {
  try {
    return await kv.create(KEY, value);
  } catch {
    const entry = await kv.get(KEY);
    const holder = entry && holderOf(entry.string());
    if (!entry || !(isStale || (holder && fateOf(holder) === 'gone'))) return null;
    return kv.update(KEY, value, entry.revision).catch(() => null);
  }
}

function holderOf(text: string): LeaseHolder | null {
  try {
    return JSON.parse(text) as LeaseHolder;
  } catch {
    return null;
  }
}

function inUse(holder: LeaseHolder | null): SignalboxError {
  const who = holder
    ? `process ${holder.pid} on host ${holder.host}, since ${holder.since}`
    : 'a process that did not say who it is';
  return new SignalboxError(
    'log_in_use',
    `another Signalbox writes this log: ${who}. Stop it first, or use another log (another --data-dir, or another NATS account)`,
    { details: { holder } },
  );
}
