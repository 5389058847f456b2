/** Runs a worker in the foreground. Standard output gets one line when it is ready; the log goes to standard error. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { deferred } from '../../base/deferred.ts';
import { systemEnvironment } from '../../base/environment.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { checkedId } from '../../contracts/ids.ts';
import { defineAgents } from '../../daemon/agents.ts';
import { openDataDirectory } from '../../daemon/data-directory.ts';
import { ownHolder, readHolder, writeHolder } from '../../daemon/lock-holder.ts';
import { authenticatorOf, givenServer, tlsOf } from '../../daemon/nats-address.ts';
import { createHost } from '../../process/host/host.ts';
import { createProcessRunner } from '../../process/host-runner.ts';
import { driverRunner, endLeftovers } from '../../worker/driver-runner.ts';
import { Worker } from '../../worker/worker.ts';
import { loadConfigFor } from '../config-file.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { standardErrorLogger } from '../log-stream.ts';
import type { LogOptions } from '../options.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';

export interface WorkerOptions extends LogOptions {
  readonly agent: string;
  readonly credentials?: string;
  readonly slots?: number;
  readonly logLevel?: string;
}

/** Works until it is interrupted. @throws SignalboxError if it does not start */
export async function runWorker(terminal: Terminal, options: WorkerOptions): Promise<void> {
  assertSupportedPlatform();
  const agent = checkedId('agent id', options.agent);
  const { config } = await loadConfigFor(options);
  const logger = standardErrorLogger(config.log.level);
  const server = await serverOf(config, options);
  const machine = await openMachine(config, agent, logger);
  try {
    const stopRequested = deferred();
    const interruptions = listenForInterruptions((count, reason) => {
      logger.info({ signal: reason, count }, 'stop requested');
      if (count === 1) stopRequested.resolve();
      else process.exit(EXIT_CODES.interrupted.code);
    });
    const concurrency = options.slots ?? machine.concurrency;
    const { run } = machine;
    const worker = await Worker.start({ ...server, agent, concurrency, run, logger });
    terminal.print(
      `worker ${worker.identity.id} is ready: agent ${agent}, up to ${concurrency} tasks at the same time`,
    );
    await stopRequested.promise;
    await worker.stop(config.shutdown.drain_seconds * 1_000);
    interruptions.close();
  } finally {
    await machine.close();
  }
}

/** @throws SignalboxError `config_invalid` if no server is configured, or its settings are not valid */
async function serverOf(config: SignalboxConfig, { credentials }: WorkerOptions) {
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

/** What runs jobs on this machine, in a directory of its own. @throws SignalboxError `config_invalid`, `log_in_use` */
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
  const holder = await readHolder(data.path, host);
  if (holder.kind !== 'none') {
    const who = holder.kind === 'alive' ? `process ${holder.holder.pid}` : holder.reason;
    throw new SignalboxError(
      'log_in_use',
      `another worker has ${data.path} (${who}): give this one a directory of its own with --data-dir`,
    );
  }
  const release = await writeHolder(data.path, ownHolder(host, `worker-${process.pid}`, clock.now()));
  const runner = createProcessRunner({
    log: logger.child({ component: 'process' }),
    containment: config.containment,
    name: data.installation,
  });
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
