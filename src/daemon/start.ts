/**
 * The stages of a start: data directory → NATS → lease and engine → features → HTTP → dispatching. Each returns what
 * the next ones need and registers how to undo it; if one fails, the earlier ones are undone in the reverse order.
 * Long because the stages are read from top to bottom.
 */
import { join } from 'node:path';
import { registerBudgets } from '../app/budgets/budgets.ts';
import type { AppContext } from '../app/context.ts';
import type { Engine } from '../app/engine/engine.ts';
import type { EngineOptions } from '../app/engine/engine-options.ts';
import { type RecoveredEngine, recoverEngine } from '../app/engine/open-engine.ts';
import { registerSchedules } from '../app/schedules/schedules.ts';
import { type Environment, systemEnvironment } from '../base/environment.ts';
import { mcpOverHttp } from '../client/mcp/http.ts';
import { publicUrl, resolveAgent } from '../config/derived.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import type { HealthReport } from '../contracts/api/system-answers.ts';
import { SignalboxError } from '../contracts/errors.ts';
import type { AgentDefinition } from '../engine/supervisor/agent-roster.ts';
import { Checkpointer } from '../features/audit/checkpointer.ts';
import { KeyFile } from '../features/audit/key-file.ts';
import { verifyIfDamageWasFound } from '../features/audit/log-watch.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { HighWaterMark } from '../journal/high-water-mark.ts';
import { openGroupCommit } from '../journal/jetstream/group-commit.ts';
import { openJetStreamJournal } from '../journal/jetstream/jetstream-journal.ts';
import { holderText, Lease, type LeaseHolder, type LeaseOptions } from '../journal/lease.ts';
import { createHost, type Host } from '../process/host/host.ts';
import { createProcessRunner } from '../process/host-runner.ts';
import type { ProcessRunner } from '../process/runner.ts';
import { VERSION } from '../version.ts';
import { GitWorkspaces } from '../workspaces/git-workspaces.ts';
import { defineAgents } from './agents.ts';
import type { Cleanup } from './cleanup.ts';
import type { DaemonOptions } from './daemon.ts';
import { type DataDirectory, openDataDirectory, snapshotsIn } from './data-directory.ts';
import { type StartedFeatures, startFeatures } from './features.ts';
import { healthOf } from './health.ts';
import { livenessOf, ownHolder, writeHolder } from './lock-holder.ts';
import { NatsInterface } from './nats-interface.ts';
import { type NatsLink, openNatsLink } from './nats-link.ts';
import { ProjectPrompts } from './prompt-builders.ts';
import { threadFor } from './read-ahead.ts';
import { SelfWatch } from './self-watch.ts';
import { answerAsStandby, awaitLease, awaitNatsLink } from './standby.ts';

export interface Started {
  readonly engine: Engine;
  readonly nats: NatsLink;
  readonly url: string | null;
  readonly replaced: AbortSignal;
  readonly health: () => HealthReport;
  readonly agents: AgentsInForce;
}

/** The agents of the configuration, which may change while Signalbox runs. */
export interface AgentsInForce {
  config: SignalboxConfig;
  /** The definitions of a configuration for this process. @throws SignalboxError `config_invalid` */
  readonly define: (config: SignalboxConfig) => AgentDefinition[];
}

interface Base {
  readonly options: DaemonOptions;
  /** Its agents are those in force. */
  readonly current: { config: SignalboxConfig };
  readonly cleanup: Cleanup;
  readonly environment: Environment;
  readonly data: DataDirectory;
  readonly watch: SelfWatch;
  readonly host: Host;
  readonly runner: ProcessRunner;
  /** How agents reach Signalbox; set when the HTTP server listens, read at each start of an attempt. */
  readonly endpoint: { url: string | null };
  /** Aborted when another Signalbox has taken over. */
  readonly replaced: AbortController;
}

interface Connected {
  readonly nats: NatsLink;
  readonly natsInterface: NatsInterface;
}

interface Served extends StartedFeatures {
  readonly app: AppContext;
  readonly health: () => HealthReport;
}

/** Bytes of a NATS message that are left free for its headers. */
const HEADER_BYTES = 2_048;
const WRITER_ID_LENGTH = 10;

/** @throws SignalboxError of the stage that failed */
export async function startStages(options: DaemonOptions, cleanup: Cleanup): Promise<Started> {
  const base = await openBase(options, cleanup);
  const connected = await connect(base);
  const checkpointer = await Checkpointer.open({ keys: new KeyFile(base.data.path), logger: options.logger });
  const engine = await becomeWriter(base, connected, checkpointer);
  await connected.natsInterface.prepare(engine);
  cleanup.add('the checkpoints', () => checkpointer.stop());
  const url = () => base.endpoint.url;
  const features = await startFeatures({ ...options, url }, engine.app, base.data.path, cleanup);
  const { answerable } = connected.natsInterface;
  const health = () =>
    healthOf(engine, connected.nats, features, answerable, base.watch, base.runner.containment);
  const served = { ...features, app: engine.app, health };
  if (options.http !== false) await listen(base, connected, served);
  await checkpointer.start(engine.app);
  await registerBudgets(engine.app, options.config.budgets);
  await dispatch(base, connected, engine, served);
  await registerSchedules(engine.app, options.config.schedules);
  const agents = Object.assign(base.current, { define: definitionsFor(base, connected) });
  return {
    engine,
    nats: connected.nats,
    url: base.endpoint.url,
    replaced: base.replaced.signal,
    health,
    agents,
  };
}

function definitionsFor(
  { options, runner, environment, endpoint, data }: Base,
  { natsInterface }: Connected,
): AgentsInForce['define'] {
  return (config) =>
    defineAgents({
      config,
      functions: options.functions ?? {},
      runner,
      environment,
      url: () => endpoint.url,
      remoteDriverOf: (agent) => natsInterface.driverOf(agent),
      installation: data.installation,
      env: options.env,
    });
}

async function openBase(options: DaemonOptions, cleanup: Cleanup): Promise<Base> {
  const { config, logger } = options;
  const data = await openDataDirectory(config.data_dir);
  const watch = await SelfWatch.start(data.path, logger);
  cleanup.add('the watch over the data directory', () => watch.stop());
  const environment = options.environment ?? systemEnvironment;
  const host = createHost(logger, () => environment.clock.now());
  const runner = createProcessRunner({
    log: logger.child({ component: 'process' }),
    containment: config.containment,
    name: data.installation,
  });
  cleanup.addUnlimited('the process runner', () => runner.close());
  const endpoint = { url: null };
  const current = { config };
  const base = { options, current, cleanup, environment, data, watch, host, runner, endpoint };
  return { ...base, replaced: new AbortController() };
}

async function connect({ options, cleanup, environment }: Base): Promise<Connected> {
  const { config, logger, env, standby } = options;
  const nats = await (standby ? awaitNatsLink : openNatsLink)({ config, logger, env });
  cleanup.addUnlimited('NATS', () => nats.close());
  return { nats, natsInterface: await NatsInterface.connect({ nats, config, logger, environment }) };
}

/**
 * Takes over the log. Without a standby the lease is acquired before the log is read; a standby reads the log while it
 * waits for the lease.
 */
async function becomeWriter(base: Base, connected: Connected, keys: Checkpointer): Promise<Engine> {
  const { options, cleanup, environment, host } = base;
  const writer = environment.randomId(WRITER_ID_LENGTH);
  const holder = ownHolder(host, writer, environment.clock.now());
  const lease = leaseOptionsOf(base, connected.nats, holder);
  const hold = (held: Lease): void => cleanup.add('the lease', () => held.release());
  if (!options.standby) hold(await Lease.acquire(lease));
  const recovered = await recoverEngine(engineOptionsOf(base, connected, writer, keys));
  try {
    if (options.standby) hold(await standBy(base, connected, recovered, lease));
    const mark = await lockDataDirectory(base, recovered, holder);
    const engine = await recovered.takeOver((tip) => mark.advance(tip));
    cleanup.add('the engine', () => engine.stop('stopped'));
    return engine;
  } catch (error) {
    await recovered.close();
    throw error;
  }
}

function leaseOptionsOf(base: Base, nats: NatsLink, holder: LeaseHolder): LeaseOptions {
  const { options, host, replaced } = base;
  return {
    connection: nats.connection,
    replicas: options.config.nats.replicas,
    holder,
    livenessOf: (other) => livenessOf(host, other),
    logger: options.logger,
    onLost: (successor) => {
      replaced.abort();
      options.onFenced(takenOver(successor));
    },
  };
}

async function standBy(
  { options }: Base,
  { natsInterface }: Connected,
  recovered: RecoveredEngine,
  lease: LeaseOptions,
): Promise<Lease> {
  const { logger, standby } = options;
  standby?.();
  const stopAnswering = answerAsStandby(lease.connection, natsInterface.answerable, lease.holder);
  const held = await awaitLease(lease, () => recovered.follow(), logger).finally(stopAnswering);
  logger.info({ writer: lease.holder.writer }, 'taking over');
  return held;
}

/** Records who holds the data directory, and checks that the log is the one that was seen in it, and complete. */
async function lockDataDirectory(
  { options, cleanup, data }: Base,
  recovered: RecoveredEngine,
  holder: LeaseHolder,
): Promise<HighWaterMark> {
  cleanup.add('the holder of the data directory', await writeHolder(data.path, holder));
  const mark = await HighWaterMark.open(join(data.path, 'high-water-mark.json'), options.logger);
  cleanup.add('the high-water mark', () => mark.close());
  await mark.check(recovered.log);
  await recovered.checkComplete();
  await verifyIfDamageWasFound(data.path, recovered.log, recovered.end.sequence, options.logger);
  return mark;
}

function engineOptionsOf(
  base: Base,
  connected: Connected,
  writer: string,
  keys: Checkpointer,
): EngineOptions {
  const { options, current, environment, data, runner, endpoint, watch } = base;
  const { nats } = connected;
  const { config, logger, env } = options;
  const { defaults, limits, retention } = config;
  const url = (): string | null => endpoint.url;
  return {
    keys,
    readAhead: threadFor(nats.address, logger),
    openJournal: (handlers) => {
      const open = (inner: typeof handlers) =>
        openJetStreamJournal(nats.connection, inner, { replicas: config.nats.replicas });
      return nats.sync === null ? open(handlers) : openGroupCommit(open, handlers, nats.sync);
    },
    writer,
    agents: definitionsFor(base, connected)(config),
    workspaces: new GitWorkspaces({
      directory: join(data.path, 'workspaces'),
      runner,
      installation: data.installation,
      env,
      randomId: () => environment.randomId(WRITER_ID_LENGTH),
    }),
    environment,
    logger,
    dataDirectory: data.path,
    secret: data.secret,
    version: VERSION,
    url,
    obstacle: () => watch.obstacle,
    prompts: new ProjectPrompts({ projects: config.projects, logger, env }),
    defaults,
    prices: config.prices,
    reviewOf: (agent) =>
      Object.hasOwn(current.config.agents, agent) ? resolveAgent(current.config, agent).review : undefined,
    templates: () => current.config.templates,
    limits: {
      concurrency: limits.concurrency,
      projectConcurrency: limits.per_project_concurrency ?? limits.concurrency,
      queueDepth: limits.queue_depth,
      backlog: limits.event_backlog,
      maxEventBytes: (nats.connection.info?.max_payload ?? 1_048_576) - HEADER_BYTES,
    },
    retention: {
      finishedMs: retention.finished_seconds * 1_000,
      deadLettersMs: retention.dead_letters_seconds * 1_000,
      tasks: retention.finished_tasks,
    },
    snapshots: { store: snapshotsIn(data.path, logger), every: retention.snapshot_events },
    onFenced: options.onFenced,
  };
}

async function listen(base: Base, { natsInterface }: Connected, served: Served): Promise<void> {
  const { options, cleanup, endpoint } = base;
  const { server: settings } = options.config;
  const local = { url: '' };
  const listenOn = (port: number): Promise<HttpServer> =>
    startHttpServer({
      ...served,
      logger: options.logger,
      host: settings.host,
      port,
      maxBodyBytes: settings.max_body_bytes,
      version: VERSION,
      publicUrl: settings.public_url,
      requestsPerSecond: settings.requests_per_second,
      maxFollowers: settings.event_streams,
      rejected: (agent, limit) => natsInterface.rejections.list(agent, limit),
      mcp: mcpOverHttp(() => local.url),
    });
  const server = await listenOn(settings.port).catch((error: unknown) => {
    if (!options.standby || !(error instanceof SignalboxError) || error.code !== 'address_in_use') {
      throw error;
    }
    // The replaced process may hang and keep its port.
    options.logger.warn(
      { port: settings.port },
      'the replaced Signalbox still holds the port; using a free one',
    );
    return listenOn(0);
  });
  cleanup.add('the HTTP server', () => server.close());
  local.url = loopbackUrl(server.url);
  endpoint.url = publicUrl(settings, server.port);
}

async function dispatch(
  { cleanup }: Base,
  { natsInterface }: Connected,
  engine: Engine,
  served: Served,
): Promise<void> {
  cleanup.add('the NATS interface', () => natsInterface.close());
  const begun = engine.begin();
  natsInterface.begin();
  await begun;
  await natsInterface.listen(served);
}

/** The URL on the same machine; the loopback address if the server listens on all addresses. */
function loopbackUrl(url: string): string {
  return url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
}

function takenOver(holder: LeaseHolder | null): SignalboxError {
  return new SignalboxError(
    'log_fenced',
    `another Signalbox has taken over the log: ${holderText(holder)}. This process was paused too long and must stop`,
    { details: { holder } },
  );
}
