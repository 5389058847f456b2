/**
 * The writer's lease, in a NATS key-value bucket: tells a second Signalbox which process writes the log, and a standby
 * when to take over. Safety does not depend on it: two writers are kept apart by journal/one-writer, whatever clocks and
 * leases do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { z } from 'zod';
import { messageOf, SignalboxError } from '../contracts/errors.ts';
import { LEASE_BUCKET } from '../contracts/messages/subjects.ts';
import { unavailable } from './failures.ts';
import { keepReplicas, whenPlaceable } from './jetstream/event-stream.ts';

const holderSchema = z.object({
  writer: z.string(),
  host: z.string(),
  pid: z.int(),
  startTime: z.string(),
  /** Changes with every start of the machine. */
  bootId: z.string(),
  /** RFC 3339. */
  since: z.string(),
});
export type LeaseHolder = Readonly<z.output<typeof holderSchema>>;

export interface LeaseOptions {
  readonly connection: NatsConnection;
  /** Servers that store it; 1 by default. */
  readonly replicas?: number;
  readonly holder: LeaseHolder;
  /** What is known of a holder: the lease of one that is gone need not expire, one that is alive is not waited for. */
  readonly livenessOf: (holder: LeaseHolder) => 'gone' | 'alive' | 'unknown';
  readonly logger: Logger;
  /** Called if another holder has the lease: this process is not the writer any more. */
  readonly onLost: (holder: LeaseHolder | null) => void;
  /** Milliseconds after which a lease that is not renewed expires. */
  readonly ttlMs?: number;
}

const KEY = 'writer';
const TTL_MS = 10_000;
const RENEWALS_PER_TTL = 10;
/** A standby takes over from a holder that misses this many renewals in a row. */
const MISSED_RENEWALS = 3.5;
const CHECKS_PER_TTL = 20;
/** The shortest time limit for an answer of the server. */
const MIN_ANSWER_MS = 500;

/** The writers of this process, as far as this copy of the module knows. */
const heldHere = new Set<string>();

/** Whether this process has acquired a lease for this writer and has not released it. */
export function holdsLease(writer: string): boolean {
  return heldHere.has(writer);
}

export class Lease {
  readonly #kv: KV;
  readonly #options: LeaseOptions;
  readonly #ttlMs: number;
  #revision: number;
  #timer: NodeJS.Timeout;
  #renewing: Promise<void> = Promise.resolve();
  #isReleased = false;

  private constructor(kv: KV, options: LeaseOptions, ttlMs: number, revision: number) {
    this.#kv = kv;
    this.#options = options;
    this.#ttlMs = ttlMs;
    this.#revision = revision;
    heldHere.add(options.holder.writer);
    this.#timer = this.#schedule();
  }

  /**
   * Acquires the lease, and waits for one that is about to expire.
   * @throws SignalboxError `log_in_use`, naming the holder; `nats_unavailable`
   */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const ttlMs = options.ttlMs ?? TTL_MS;
    try {
      const kv = await openBucket(options, ttlMs);
      const first = await kv.get(KEY);
      const end = Date.now() + ttlMs * 1.5;
      for (;;) {
        const revision = await take(kv, options);
        if (revision !== null) return new Lease(kv, options, ttlMs, revision);
        const entry = await kv.get(KEY);
        if (!entry) continue;
        const holder = parseHolder(entry.string());
        const renewed = first !== null && entry.revision !== first.revision;
        const isAlive = renewed || (holder !== null && options.livenessOf(holder) === 'alive');
        if (isAlive || Date.now() > end) throw inUse(holder);
        await delay(ttlMs / CHECKS_PER_TTL);
      }
    } catch (cause) {
      if (cause instanceof SignalboxError) throw cause;
      throw unavailable('cannot acquire the lease of the log', cause);
    }
  }

  /**
   * Waits for the lease without a limit: until its holder releases it, is gone, or stops renewing it. Waits through an
   * outage of the server, too.
   * @returns null if `signal` was aborted
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
        const revision = await take(kv, options, isStale);
        if (revision !== null) return new Lease(kv, options, ttlMs, revision);
      } catch (error) {
        options.logger.debug({ err: error }, 'cannot read the lease');
        // The holder cannot renew it now either: the time until the server is back does not count.
        seen = { revision: -1, at: performance.now() };
      }
      await delay(ttlMs / CHECKS_PER_TTL);
    }
    return null;
  }

  /**
   * Releases the lease, so that the next Signalbox need not wait. If the server does not answer, the lease expires, and
   * the next start waits for that.
   */
  async release(): Promise<void> {
    this.#isReleased = true;
    clearTimeout(this.#timer);
    heldHere.delete(this.#options.holder.writer);
    // Its revision is the one to delete.
    await this.#renewing;
    await this.#kv.delete(KEY, { previousSeq: this.#revision }).catch((err: unknown) => {
      this.#options.logger.debug({ err }, 'could not release the lease: it expires');
    });
  }

  #schedule(): NodeJS.Timeout {
    const renew = (): void => {
      this.#renewing = this.#renew();
    };
    return setTimeout(renew, this.#ttlMs / RENEWALS_PER_TTL).unref();
  }

  async #renew(): Promise<void> {
    const { holder, logger, onLost } = this.#options;
    try {
      this.#revision = await this.#kv.update(KEY, JSON.stringify(holder), this.#revision);
    } catch (error) {
      if (this.#isReleased) return;
      logger.warn({ err: error }, `could not renew the lease: ${messageOf(error)}; trying to regain it`);
      const present = await this.#regain().catch((err: unknown) => {
        logger.debug({ err }, 'cannot read the lease');
        return holder;
      });
      if (this.#isReleased) return;
      if (present?.writer !== holder.writer) return onLost(present);
    }
    if (this.#isReleased) return;
    this.#timer = this.#schedule();
  }

  /** @returns the present holder; null if it did not identify itself. Rejects if the server does not answer */
  async #regain(): Promise<LeaseHolder | null> {
    const { holder } = this.#options;
    const entry = await this.#kv.get(KEY);
    if (entry?.operation === 'PUT') {
      const present = parseHolder(entry.string());
      if (present?.writer === holder.writer) this.#revision = entry.revision;
      return present;
    }
    // It expired while the server was away, or a standby released it unused: take it again, unless another was quicker.
    this.#revision = (await take(this.#kv, this.#options)) ?? this.#revision;
    return holder;
  }
}

async function openBucket({ connection, replicas = 1 }: LeaseOptions, ttlMs: number): Promise<KV> {
  const kv = await whenPlaceable(() =>
    new Kvm(connection).create(LEASE_BUCKET, { history: 1, ttl: ttlMs, replicas }),
  );
  const { streamInfo } = await kv.status();
  await keepReplicas(await jetstreamManager(connection), streamInfo.config, replicas);
  // A request that is lost with a server must be repeated before a standby takes its silence for the holder's.
  const timeout = Math.max(MIN_ANSWER_MS, ttlMs / RENEWALS_PER_TTL);
  return new Kvm(jetstream(connection, { timeout })).open(LEASE_BUCKET);
}

/** The present lease; null if it is free. `holder` is null if the holder did not identify itself. */
export async function readLease(
  connection: NatsConnection,
): Promise<{ readonly holder: LeaseHolder | null; readonly revision: number } | null> {
  const kvm = new Kvm(connection);
  for await (const { bucket } of kvm.list()) {
    if (bucket !== LEASE_BUCKET) continue;
    const entry = await (await kvm.open(bucket)).get(KEY);
    return entry && entry.operation === 'PUT'
      ? { holder: parseHolder(entry.string()), revision: entry.revision }
      : null;
  }
  return null;
}

/** Removes the lease of a holder that is gone. Rejects if it has changed since it was read. */
export async function deleteLease(connection: NatsConnection, revision: number): Promise<void> {
  const kv = await new Kvm(connection).open(LEASE_BUCKET);
  await kv.delete(KEY, { previousSeq: revision });
}

/**
 * Takes the lease. Returns its revision, or null if another process holds it.
 * @param isStale whether it may be taken from a holder that is not known to be gone
 */
async function take(kv: KV, { holder, livenessOf }: LeaseOptions, isStale = false): Promise<number | null> {
  const value = JSON.stringify(holder);
  try {
    return await kv.create(KEY, value);
  } catch {
    const entry = await kv.get(KEY);
    const present = entry && parseHolder(entry.string());
    if (!entry || !(isStale || (present && livenessOf(present) === 'gone'))) return null;
    return kv.update(KEY, value, entry.revision).catch(() => null);
  }
}

/** Null if the text is not that of a holder. */
export function parseHolder(text: string): LeaseHolder | null {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The holder as the part of a sentence. */
export function holderText(holder: LeaseHolder | null): string {
  if (holder === null) return 'a process that did not identify itself';
  return `process ${holder.pid} on host ${holder.host}, since ${holder.since}`;
}

function inUse(holder: LeaseHolder | null): SignalboxError {
  return new SignalboxError(
    'log_in_use',
    `another Signalbox writes this log: ${holderText(holder)}. Stop it first, or use another log (another --data-dir, or another NATS account)`,
    { details: { holder } },
  );
}
