/** A worker in the foreground. Standard output gets one line, when it is ready; the log goes to standard error. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { deferred } from '../../base/deferred.ts';
import { systemEnvironment } from '../../base/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { agentId } from '../../contracts/ids.ts';
import { defineAgents } from '../../daemon/agents.ts';
import { openDataDirectory } from '../../daemon/data-directory.ts';
import { ownHolder, readHolder, writeHolder } from '../../daemon/lock-holder.ts';
import { authenticatorOf, givenServer, tlsOf } from '../../daemon/nats-address.ts';
import { createHost } from '../../process/host/host.ts';
import { createProcessRunner } from '../../process/host-runner.ts';
import { driverRunner, endLeftovers } from '../../worker/driver-runner.ts';
import { Worker } from '../../worker/worker.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { createLogger } from '../log-stream.ts';
import { assertSupportedPlatform } from '../platform.ts';
import { stylerFor, type Terminal } from '../terminal.ts';
import type { WorkerCommandOptions } from './index.ts';

/** Works until it is interrupted. @throws SignalboxError with what to do where it does not start */
export async function runWorker(terminal: Terminal, options: WorkerCommandOptions): Promise<void> {
  assertSupportedPlatform();
  const agent = agentId(options.agent);
  const { config } = await loadConfig({
    file: options.config,
    cwd: process.cwd(),
    env: process.env,
    overrides: {
      data_dir: options.dataDir,
      nats_url: options.natsUrl,
      nats_context: options.natsContext,
      log_level: options.logLevel,
    },
  });
  const { stderr } = process;
  const logger = createLogger(
    config.log.level,
    stderr,
    stderr.isTTY ? stylerFor(stderr, process.env) : undefined,
  );
  const server = await serverOf(config, options);
  const machine = await openMachine(config, agent, logger);
  try {
    const stopRequested = deferred();
    const interruptions = listenForInterruptions((count, reason) => {
      logger.info({ signal: reason, count }, 'asked to stop');
      if (count === 1) stopRequested.resolve();
      else process.exit(EXIT_CODES.interrupted.code);
    });
    const concurrency = options.slots ?? machine.concurrency;
    const { run } = machine;
    const worker = await Worker.start({ ...server, agent, concurrency, run, logger });
    terminal.print(`worker ${worker.identity.id} is ready: agent ${agent}, ${concurrency} at the same time`);
    await stopRequested.promise;
    await worker.stop(config.shutdown.drain_seconds * 1_000);
    interruptions.close();
  } finally {
    await machine.close();
  }
}

/** @throws SignalboxError `config_invalid` where none is named, or it cannot be used */
async function serverOf(config: SignalboxConfig, { credentials }: WorkerCommandOptions) {
  const server = await givenServer(config, process.env);
  if (server === null) {
    throw new SignalboxError(
      'config_invalid',
      'a worker needs the address of the NATS server that Signalbox uses: give --nats-url, NATS_URL, nats.url, or a context (--nats-context, NATS_CONTEXT, nats.context)',
    );
  }
  const own = credentials === undefined ? {} : { credentialsFile: resolve(credentials) };
  const address = { ...server.address, ...own };
  return { servers: address.servers, authenticator: await authenticatorOf(address), tls: tlsOf(address) };
}

/** What runs the jobs here, in a directory that no other worker has. @throws SignalboxError `config_invalid`, `log_in_use` */
async function openMachine(config: SignalboxConfig, agent: string, logger: Logger) {
  const own = Object.hasOwn(config.agents, agent) ? config.agents[agent] : undefined;
  if (!own || own.driver === 'remote') {
    throw new SignalboxError(
      'config_invalid',
      `agents.${agent}: the configuration of this machine must say how the agent is run here, such as with the driver command`,
    );
  }
  const { clock } = systemEnvironment;
  const host = createHost(logger, () => clock.now());
  const data = await openDataDirectory(join(config.data_dir, 'workers', agent));
  const occupant = await readHolder(data.path, host);
  if (occupant.kind !== 'none') {
    const who = occupant.kind === 'alive' ? `process ${occupant.holder.pid}` : occupant.reason;
    throw new SignalboxError(
      'log_in_use',
      `another worker has ${data.path} (${who}): give this one a directory of its own with --data-dir`,
    );
  }
  const release = await writeHolder(data.path, ownHolder(host, `worker-${process.pid}`, clock.now()));
  const runner = createProcessRunner({ log: logger.child({ component: 'process' }) });
  let url: string | null = null;
  const [definition] = defineAgents({
    config: { ...config, agents: { [agent]: own } },
    functions: {},
    runner,
    environment: systemEnvironment,
    url: () => url,
    installation: data.installation,
    env: process.env,
    remoteDriverOf: () => undefined,
  });
  if (!definition) throw new SignalboxError('internal', `agent ${agent} has no definition`);
  const directory = join(data.path, 'attempts');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const settings = {
    driver: definition.driver,
    directory,
    logger,
    onUrl: (given: string | null) => {
      url = given;
    },
  };
  await endLeftovers(settings, definition.killGraceMs);
  return {
    concurrency: definition.concurrency,
    run: driverRunner(settings),
    close: async () => {
      runner.close();
      await release();
    },
  };
}
