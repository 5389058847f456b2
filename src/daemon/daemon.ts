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
import { Engine } from '../app/engine/engine.ts';
import { EventFeed } from '../app/events/event-feed.ts';
import { deferred } from '../base/deferred.ts';
import { type Environment, systemEnvironment } from '../base/environment.ts';
import { withLimit } from '../base/time.ts';
import { mcpOverHttp } from '../client/mcp/http.ts';
import { publicUrl } from '../config/public-url.ts';
import { resolveAgent } from '../config/resolve-agent.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { tokensFile } from '../config/tokens-path.ts';
import type { HealthReport } from '../contracts/api/answers.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { FunctionHandler } from '../drivers/function.ts';
import { AuditDesk } from '../features/audit/audit-desk.ts';
import { Checkpointer } from '../features/audit/checkpointer.ts';
import { KeyFile } from '../features/audit/key-file.ts';
import { Background } from '../features/background/background.ts';
import { Webhooks } from '../features/webhooks/webhooks.ts';
import { startHttpServer } from '../http/server.ts';
import { HighWaterMark } from '../journal/high-water-mark.ts';
import { GroupCommit } from '../journal/jetstream/group-commit.ts';
import { JetStreamJournal } from '../journal/jetstream/jetstream-journal.ts';
import { Lease, type LeaseHolder, type LeaseOptions } from '../journal/lease.ts';
import { People } from '../operations/access/people.ts';
import type { Services } from '../operations/services.ts';
import { createHost } from '../process/host/host.ts';
import { createProcessRunner } from '../process/host-runner.ts';
import { VERSION } from '../version.ts';
import { defineAgents } from './agents.ts';
import { Cleanup } from './cleanup.ts';
import { openDataDirectory } from './data-directory.ts';
import { healthOf } from './health.ts';
import { fateOf, leaseHolder } from './lease-holder.ts';
import { type NatsLink, openNatsLink } from './nats-link.ts';
import { NatsSide } from './nats-side.ts';
import { occupy } from './occupant.ts';
import { ProjectPrompts } from './prompt-builders.ts';
import { threadFor } from './read-ahead.ts';
import { snapshotsIn } from './snapshots.ts';
import { awaitLease, awaitNatsLink } from './standby.ts';
import { answerAsStandby } from './standby-roll.ts';
import { startTelemetry } from './telemetry.ts';

export interface DaemonOptions {
  readonly config: SignalboxConfig;
  readonly logger: Logger;
  readonly functions?: Readonly<Record<string, FunctionHandler>>;
  /** Signalbox's own environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly environment?: Environment;
  /** false where nothing is to listen: agents then cannot write back by HTTP. */
  readonly http?: boolean;
  /** Waits while another Signalbox writes the log, and takes over from it. Called when it begins to wait. */
  readonly standby?: () => void;
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
  /** Whether another Signalbox has taken over. */
  readonly #isReplaced: () => boolean;
  readonly #hurry = deferred();
  #stopping: Promise<void> | null = null;

  private constructor(parts: {
    engine: Engine;
    nats: NatsLink;
    url: string | null;
    options: DaemonOptions;
    cleanup: Cleanup;
    isReplaced: () => boolean;
  }) {
    this.engine = parts.engine;
    this.nats = parts.nats;
    this.url = parts.url;
    this.#options = parts.options;
    this.#cleanup = parts.cleanup;
    this.#isReplaced = parts.isReplaced;
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
    const isStandby = options.standby !== undefined;
    const nats = await (isStandby ? awaitNatsLink : openNatsLink)({ config, logger, env });
    cleanup.add('NATS', () => nats.close());
    const writer = environment.randomId(WRITER_ID_LENGTH);
    const holder = leaseHolder(host, writer, environment.clock.now());
    let isReplaced = false;
    const leaseOptions: LeaseOptions = {
      connection: nats.connection,
      replicas: config.nats.replicas,
      holder,
      fateOf: (holder) => fateOf(host, holder),
      logger,
      onLost: (holder) => {
        isReplaced = true;
        options.onFenced(takenOver(holder));
      },
    };
    let lease = isStandby ? null : await Lease.acquire(leaseOptions);
    cleanup.add('the lease', async () => lease?.release());
    let mark: HighWaterMark | null = null;
    cleanup.add('the high-water mark', async () => mark?.close());
    const checkpointer = await Checkpointer.open({ keys: new KeyFile(data.path), logger });
    const side = await NatsSide.connect({ nats, config, logger, environment });
    const agents = defineAgents({
      config,
      functions: options.functions ?? {},
      runner,
      environment,
      url: () => url,
      remoteDriverOf: (agent) => side.driverOf(agent),
      installation: data.installation,
      env,
    });
    const engine = await Engine.open({
      keys: checkpointer,
      readAhead: threadFor(nats.address, logger),
      openJournal: (handlers) => {
        const open = (inner: typeof handlers) =>
          JetStreamJournal.open(nats.connection, inner, { replicas: config.nats.replicas });
        return nats.sync === null ? open(handlers) : GroupCommit.open(open, handlers, nats.sync);
      },
      ...(options.standby && {
        awaitTurn: async (follow) => {
          options.standby?.();
          const silence = answerAsStandby(nats.connection, holder);
          lease = await awaitLease(leaseOptions, follow, logger).finally(silence);
          logger.info({ writer }, 'taking over');
        },
      }),
      inspect: async (journal) => {
        cleanup.add('the note in the data directory', await occupy(data.path, holder));
        mark = await HighWaterMark.open(join(data.path, 'high-water-mark.json'), logger);
        await mark.check(journal);
      },
      onStored: (tip) => mark?.advance(tip),
      writer,
      agents,
      environment,
      logger,
      dataDirectory: data.path,
      secret: data.secret,
      version: VERSION,
      url: () => url,
      prompts: new ProjectPrompts({ projects: config.projects, logger, env }),
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
        store: snapshotsIn(data.path, logger),
        every: config.retention.snapshot_events,
      },
      onFenced: options.onFenced,
    });
    cleanup.add('the engine', () => engine.stop('stopped'));
    await side.prepare(engine);
    cleanup.add('the checkpoints', () => checkpointer.stop());

    const feed = new EventFeed(engine.app);
    const webhooks = await Webhooks.start({
      configs: config.webhooks,
      app: engine.app,
      feed,
      directory: join(data.path, 'webhooks'),
      env,
      logger,
    });
    cleanup.add('the webhooks', () => webhooks.stop());

    const traced = { config, env, app: engine.app, feed, dataDirectory: data.path, logger };
    const telemetry = await startTelemetry(traced);
    if (telemetry) cleanup.add('the traces', () => telemetry.stop());

    const background = await Background.open({ app: engine.app, directory: join(data.path, 'background') });
    cleanup.add('the background commands', async () => background.close());

    const audit = await AuditDesk.open({ app: engine.app, dataDirectory: data.path, logger });
    cleanup.add('the audit', () => audit.close());

    const health = (): HealthReport => healthOf(engine, nats, VERSION);
    const rejected: Services['rejected'] = (agent, limit) => side.rejections.list(agent, limit);
    const people = await People.open(tokensFile(config), logger, () => performance.now());
    if (options.http !== false) {
      let local = '';
      const listen = (port: number) =>
        startHttpServer({
          app: engine.app,
          logger,
          host: config.server.host,
          port,
          maxBodyBytes: config.server.max_body_bytes,
          health,
          version: VERSION,
          publicUrl: config.server.public_url,
          requestsPerSecond: config.server.requests_per_second,
          people,
          feed,
          maxFollowers: config.server.event_streams,
          webhooks,
          rejected,
          background,
          audit,
          mcp: mcpOverHttp(() => local),
        });
      const server = await listen(config.server.port).catch((error: unknown) => {
        if (!isStandby || !(error instanceof SignalboxError) || error.code !== 'address_in_use') throw error;
        // One that hangs holds on to its port. The work goes on all the same.
        logger.warn(
          { port: config.server.port },
          'the port is still held by the one that was taken over from: taking a free one',
        );
        return listen(0);
      });
      cleanup.add('the HTTP server', () => server.close());
      local = loopbackUrl(server.url);
      url = publicUrl(config.server, server.port);
    }
    await checkpointer.start(engine.app);
    cleanup.add('what listens on NATS', () => side.close());
    const begun = engine.begin();
    side.begin();
    await begun;
    await side.listen({ app: engine.app, health, people, webhooks, background, audit });
    return new Daemon({ engine, nats, url, options, cleanup, isReplaced: () => isReplaced });
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
    if (this.#isReplaced() || this.engine.journalState.kind === 'fenced') return this.#end(reason);
    this.engine.drain(reason);
    await this.#wait(agents === 'kill' ? 'all' : 'unadoptable', drain_seconds * 1_000);
    if (agents === 'kill') {
      this.engine.supervisor.stopAll();
      const graces = [...this.app.supervision.roster.all()].map(({ killGraceMs }) => killGraceMs);
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
    await withLimit(Promise.race([this.engine.whenIdle(attempts), this.#hurry.promise]), limitMs, () => {});
  }
}

/** Where a server can be reached from its own machine: one that listens everywhere, at its loopback address. */
function loopbackUrl(url: string): string {
  return url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
}

function takenOver(holder: LeaseHolder | null): SignalboxError {
  const who = holder
    ? `process ${holder.pid} on host ${holder.host}, since ${holder.since}`
    : 'somebody else';
  return new SignalboxError(
    'log_fenced',
    `another Signalbox has taken over the log: ${who}. This one held still for too long, and must not go on`,
    { details: { holder } },
  );
}
