/**
 * Runs Signalbox in the foreground. Standard output gets one line when it is ready; the log goes to standard error.
 *
 * The first signal drains and stops, the second stops without waiting, the third exits at once. Before Signalbox is ready
 * there is nothing to drain: it gets a moment to finish its start and to stop, then the process exits. An unexpected error ends
 * the process with exit code 1: running agents continue, and the next start adopts them.
 */
import type { Logger } from 'pino';
import { deferred } from '../../base/deferred.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { VERSION } from '../../version.ts';
import { loadConfigFor } from '../config-file.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { standardErrorLogger } from '../log-stream.ts';
import type { LogOptions } from '../options.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { releaseMemoryWhenQuiet } from './quiet-memory.ts';

export interface UpOptions extends LogOptions {
  readonly host?: string;
  readonly port?: string;
  readonly logLevel?: string;
  readonly standby?: boolean;
}

/** Starts Signalbox, and returns when it has stopped. @throws SignalboxError if it does not start */
export async function runUp(terminal: Terminal, options: UpOptions): Promise<void> {
  assertSupportedPlatform();
  const { config } = await loadConfigFor(options);
  const logger = standardErrorLogger(config.log.level);
  exitOnUnexpectedError(logger);
  // A closed standard output is no reason to stop.
  terminal.onReaderGone(() => {});
  await run(terminal, config, logger, options);
}

async function run(
  terminal: Terminal,
  config: SignalboxConfig,
  logger: Logger,
  options: UpOptions,
): Promise<void> {
  const isStandby = options.standby === true;
  let daemon: Daemon | null = null;
  const stopRequested = deferred<Stop>();
  const stopReleasing = releaseMemoryWhenQuiet(logger);
  // Without a listener, SIGHUP ends the process: also before there is something to reload.
  const onHangUp = (): void => void reload(daemon, logger, options);
  process.on('SIGHUP', onHangUp);
  const interruptions = listenForInterruptions((count, reason) => {
    logger.info({ signal: reason, count }, 'stop requested');
    if (count === 1) {
      stopRequested.resolve({ reason, exitCode: EXIT_CODES.ok.code });
      if (daemon === null) setTimeout(() => daemon ?? exitInterrupted(), START_MS).unref();
    } else if (count === 2 && daemon !== null) void daemon.stop(reason);
    else exitInterrupted();
  });
  try {
    daemon = await Daemon.start({
      config,
      logger,
      env: process.env,
      ...(isStandby && {
        standby: () => terminal.print(`Signalbox ${VERSION} is standing by`),
      }),
      onFenced: (err) => {
        logger.fatal({ err }, 'another process has become the writer of the event log: stopping');
        stopRequested.resolve({ reason: 'fenced', exitCode: EXIT_CODES.failure.code });
      },
    });
    if (!interruptions.isInterrupted()) terminal.print(readyLine(daemon, config));
    if (Object.keys(config.agents).length === 0) {
      logger.warn(
        'no agents are configured: tasks wait until there are some (agents in signalbox.config.yaml)',
      );
    }
    const { reason, exitCode } = await stopRequested.promise;
    await daemon.stop(reason);
    terminal.exitCode = exitCode;
    // A stopped Signalbox has nothing to wait for: a forgotten timer or connection must not keep its process.
    setTimeout(() => process.exit(exitCode), EXIT_MS).unref();
  } finally {
    interruptions.close();
    process.off('SIGHUP', onHangUp);
    stopReleasing();
  }
}

/** Takes over the agents of the configuration as it is now. A file with errors changes nothing. */
async function reload(daemon: Daemon | null, logger: Logger, options: UpOptions): Promise<void> {
  if (daemon === null) return logger.warn('the configuration is not reloaded: Signalbox is still starting');
  try {
    const { config } = await loadConfigFor(options);
    const { changes, ignored } = daemon.reload(config);
    for (const what of ignored) logger.warn({ ignored: what }, 'the changed configuration does not apply');
    logger.info(
      { changes },
      changes.length === 0 ? 'configuration reloaded: no agent has changed' : 'configuration reloaded',
    );
  } catch (err) {
    logger.error({ err }, 'the configuration is not reloaded; the earlier one stays in force');
  }
}

/** Milliseconds that a start gets to finish when it is interrupted. */
const START_MS = 2_000;
/** Milliseconds that the process gets to end by itself after it has stopped. */
const EXIT_MS = 500;

/** The NATS server ends with this process. */
function exitInterrupted(): never {
  return process.exit(EXIT_CODES.interrupted.code);
}

interface Stop {
  readonly reason: string;
  readonly exitCode: number;
}

function readyLine({ url, nats }: Daemon, { data_dir }: SignalboxConfig): string {
  const server = nats.embedded === null ? `at ${nats.url}` : `embedded at ${nats.url}`;
  return `Signalbox ${VERSION} is ready: ${url} (dashboard at ${url}/ui/, NATS ${nats.version} ${server}, data in ${data_dir})`;
}

function exitOnUnexpectedError(logger: Logger): void {
  const end = (err: unknown): never => {
    logger.fatal({ err }, 'unexpected error, exiting; running agents continue');
    return process.exit(EXIT_CODES.failure.code);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
