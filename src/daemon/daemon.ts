/**
 * Where the parts meet: NATS, the lease, the engine and the HTTP server, started in this order and stopped in the
 * reverse one.
 *
 * O1 Whatever was started is stopped again where a later part fails to start.
 * O2 The NATS server is the last to stop: everything that ends may still be recorded.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { AppContext } from '../app/context.ts';
import { Checkpointer } from '../audit/checkpointer.ts';
import { KeyFile } from '../audit/key-file.ts';
import { publicUrl } from '../config/public-url.ts';
import { resolveAgent } from '../config/resolve-agent.ts';
import type { HealthReport } from '../contracts/answers.ts';
import type { SignalboxConfig } from '../contracts/config.ts';
import type { SignalboxError } from '../contracts/errors.ts';
import { Engine } from '../engine.ts';
import { startHttpServer } from '../http/server.ts';
import { GroupCommit } from '../journal/group-commit.ts';
import { HighWaterMark } from '../journal/high-water-mark.ts';
import { JetStreamJournal } from '../journal/jetstream-journal.ts';
import { Lease } from '../journal/lease.ts';
import type { FunctionHandler } from '../process/drivers/function.ts';
import { createHost } from '../process/host.ts';
import { createProcessRunner } from '../process/host-runner.ts';
import { codeFingerprint } from '../runtime/code-fingerprint.ts';
import { deferred } from '../runtime/deferred.ts';
import { type Environment, systemEnvironment } from '../runtime/environment.ts';
import { SnapshotDirectory } from '../runtime/snapshot-store.ts';
import { VERSION } from '../version.ts';
import { defineAgents } from './agents.ts';
import { Cleanup } from './cleanup.ts';
import { openDataDirectory } from './data-directory.ts';
import { healthOf } from './health.ts';
import { fateOf, leaseHolder } from './lease-holder.ts';
import { type NatsLink, openNatsLink } from './nats-link.ts';
import { occupy } from './occupant.ts';

export interface DaemonOptions {
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly functions?: Readonly<Record<string, FunctionHandler>>;
  /** Signalbox's own environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly environment?: Environment;
  /** false where nothing is to listen: agents then cannot write back by HTTP. */
  readonly http?: boolean;
  /** The log is lost to this process: it decides nothing more, and has to be stopped. */
  readonly onFenced: (error: SignalboxError) => void;
}

/** Left free in a NATS message for its headers. */
const HEADER_BYTES = 2_048;
const WRITER_ID_LENGTH = 10;
/** What an agent's end may take beyond its own grace when all are killed. */
const KILL_MARGIN_MS = 5_000;

export class Daemon {
  readonly engine: Engine;
  readonly nats: NatsLink;
  /** Where it listens; null where it does not. */
  readonly url: string | null;
  readonly #options: DaemonOptions;
  readonly #cleanup: Cleanup;
  readonly #hurry = deferred();
  #stopping: Promise<void> | null = null;

  private constructor(
    engine: Engine,
    nats: NatsLink,
    url: string | null,
    options: DaemonOptions,
    cleanup: Cleanup,
  ) {
    this.engine = engine;
    this.nats = nats;
    this.url = url;
    this.#options = options;
    this.#cleanup = cleanup;
  }

  /** @throws SignalboxError with what to do; nothing is left running then */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const cleanup = new Cleanup(options.logger);
    try {
      return await Daemon.#start(options, cleanup);
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  static async #start(options: DaemonOptions, cleanup: Cleanup): Promise<Daemon> {
    const { config, logger, env } = options;
    const data = await openDataDirectory(config.data_dir);
    const environment = options.environment ?? systemEnvironment;
    const host = createHost(logger, () => environment.clock.now());
    const runner = createProcessRunner({ log: logger.child({ component: 'process' }) });
    cleanup.add('the process runner', () => runner.close());
    let url: string | null = null;
    const agents = defineAgents({
      config,
      functions: options.functions ?? {},
      runner,
      environment,
      url: () => url,
      installation: data.installation,
      env,
    });

    const nats = await openNatsLink({ config, logger, env });
    cleanup.add('NATS', () => nats.close());
    const writer = environment.randomId(WRITER_ID_LENGTH);
    const holder = leaseHolder(host, writer, environment.clock.now());
    const lease = await Lease.acquire({
      connection: nats.connection,
      holder,
      fateOf: (holder) => fateOf(host, holder),
      logger,
      onLost: (holder) => logger.error({ holder }, 'another Signalbox has taken the lease of the log'),
    });
    cleanup.add('the lease', () => lease.release());
    cleanup.add('the note in the data directory', await occupy(data.path, holder));

    const mark = await HighWaterMark.open(join(data.path, 'high-water-mark.json'), logger);
    cleanup.add('the high-water mark', () => mark.close());
    const checkpointer = await Checkpointer.open({ keys: new KeyFile(data.path), logger });
    const engine = await Engine.open({
      keys: checkpointer,
      openJournal: (handlers) => {
        const open = (inner: typeof handlers) => JetStreamJournal.open(nats.connection, inner);
        return nats.sync === null ? open(handlers) : GroupCommit.open(open, handlers, nats.sync);
      },
      inspect: (journal) => mark.check(journal),
      onStored: (tip) => mark.advance(tip),
      writer,
      agents,
      environment,
      logger,
      dataDirectory: data.path,
      secret: data.secret,
      version: VERSION,
      url: () => url,
      defaults: {
        priority: config.defaults.priority,
        max_attempts: config.defaults.max_attempts,
        review: config.defaults.review,
        backoff: config.defaults.backoff,
      },
      reviewOf: (agent) =>
        Object.hasOwn(config.agents, agent) ? resolveAgent(config, agent).review : undefined,
      limits: {
        concurrency: config.limits.concurrency,
        projectConcurrency: config.limits.per_project_concurrency ?? config.limits.concurrency,
        queueDepth: config.limits.queue_depth,
        backlog: config.limits.event_backlog,
        maxEventBytes: (nats.connection.info?.max_payload ?? 1_048_576) - HEADER_BYTES,
      },
      retention: {
        finishedMs: config.retention.finished_seconds * 1_000,
        deadLettersMs: config.retention.dead_letters_seconds * 1_000,
        tasks: config.retention.finished_tasks,
      },
      snapshots: {
        store: new SnapshotDirectory(join(data.path, 'snapshots'), codeFingerprint(), logger),
        every: config.retention.snapshot_events,
      },
      onFenced: options.onFenced,
    });
    cleanup.add('the engine', () => engine.stop('stopped'));
    cleanup.add('the checkpoints', () => checkpointer.stop());

    if (options.http !== false) {
      const health = (): HealthReport => healthOf(engine, nats, VERSION);
      const { host: address, port, max_body_bytes: maxBodyBytes } = config.server;
      const server = await startHttpServer({
        app: engine.app,
        logger,
        host: address,
        port,
        maxBodyBytes,
        health,
      });
      cleanup.add('the HTTP server', () => server.close());
      url = publicUrl(config.server, server.port);
    }
    await checkpointer.start(engine.app);
    await engine.begin();
    return new Daemon(engine, nats, url, options, cleanup);
  }

  get app(): AppContext {
    return this.engine.app;
  }

  health(): HealthReport {
    return healthOf(this.engine, this.nats, VERSION);
  }

  /**
   * Drains and stops. Running agents are left running, to be adopted by the next start, or killed, as configured;
   * functions, which cannot be left, get `drain_seconds` to finish. Called again, it waits no longer.
   */
  async stop(reason: string): Promise<void> {
    if (this.#stopping) this.#hurry.resolve();
    this.#stopping ??= this.#stop(reason);
    await this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    const { agents, drain_seconds } = this.#options.config.shutdown;
    // Whose log is lost can record no end: its agents belong to the new writer.
    if (this.engine.journalState.kind === 'fenced') return this.#end(reason);
    this.engine.drain(reason);
    await this.#wait(agents === 'kill' ? 'all' : 'unadoptable', drain_seconds * 1_000);
    if (agents === 'kill') {
      this.engine.supervisor.stopAll();
      const graces = [...this.app.roster.all()].map(({ killGraceMs }) => killGraceMs);
      await this.#wait('all', Math.max(0, ...graces) + KILL_MARGIN_MS);
    }
    await this.#end(reason);
  }

  async #end(reason: string): Promise<void> {
    await this.#cleanup.run();
    this.#options.logger.info({ reason }, 'stopped');
  }

  /** Until these attempts have ended, the time is over, or somebody is in a hurry. */
  async #wait(attempts: 'all' | 'unadoptable', limitMs: number): Promise<void> {
    const limit = deferred();
    const timer = setTimeout(limit.resolve, limitMs);
    await Promise.race([this.engine.whenIdle(attempts), limit.promise, this.#hurry.promise]);
    clearTimeout(timer);
  }
}
