/**
 * Signalbox in the foreground.
 *
 * U1 Standard output gets one line, when it is ready; the log goes to standard error.
 * U2 The first signal drains and stops, the second stops without waiting, the third ends the process at once.
 * U3 What nobody expects ends the process with exit code 1: running agents live on, and the next start adopts them.
 */
import type { Logger } from 'pino';
import { deferred } from '../../base/deferred.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { SignalboxConfig } from '../../config/schema/config.ts';
import { Daemon } from '../../daemon/daemon.ts';
import { VERSION } from '../../version.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { createLogger } from '../log-stream.ts';
import { assertSupportedPlatform } from '../platform.ts';
import { stylerFor, type Terminal } from '../terminal.ts';
import { releaseMemoryWhenQuiet } from './quiet-memory.ts';
import type { UpOptions } from './up.ts';

/** Starts Signalbox, and returns when it has stopped. @throws SignalboxError with what to do where it does not start */
export async function up(terminal: Terminal, options: UpOptions): Promise<void> {
  assertSupportedPlatform();
  const { config } = await loadConfig({
    file: options.config,
    cwd: process.cwd(),
    env: process.env,
    overrides: {
      data_dir: options.dataDir,
      host: options.host,
      port: options.port,
      nats_url: options.natsUrl,
      nats_context: options.natsContext,
      log_level: options.logLevel,
    },
  });
  const logger = loggerFor(config);
  endOnTheUnexpected(logger);
  // That nobody reads what it says is no reason to stop.
  terminal.onReaderGone(() => {});
  await run(terminal, config, logger, options.standby === true);
}

async function run(
  terminal: Terminal,
  config: SignalboxConfig,
  logger: Logger,
  isStandby: boolean,
): Promise<void> {
  let daemon: Daemon | null = null;
  const stopRequested = deferred<Stop>();
  const stopReleasing = releaseMemoryWhenQuiet(logger);
  const interruptions = listenForInterruptions((count, reason) => {
    logger.info({ signal: reason, count }, 'asked to stop');
    if (count === 1) stopRequested.resolve({ reason, exitCode: EXIT_CODES.ok.code });
    else if (count === 2 && daemon !== null) void daemon.stop(reason);
    // Before it is ready there is nothing to drain: the NATS server ends with this process.
    else process.exit(EXIT_CODES.interrupted.code);
  });
  try {
    daemon = await Daemon.start({
      config,
      logger,
      env: process.env,
      ...(isStandby && { standby: () => terminal.print(`Signalbox ${VERSION} is standing by`) }),
      onFenced: (err) => {
        logger.fatal({ err }, 'the log is lost to another writer: stopping');
        stopRequested.resolve({ reason: 'fenced', exitCode: EXIT_CODES.failure.code });
      },
    });
    if (!interruptions.isInterrupted()) terminal.print(readyLine(daemon, config));
    const { reason, exitCode } = await stopRequested.promise;
    await daemon.stop(reason);
    terminal.exitCode = exitCode;
  } finally {
    interruptions.close();
    stopReleasing();
  }
}

interface Stop {
  readonly reason: string;
  readonly exitCode: number;
}

function readyLine({ url, nats }: Daemon, { data_dir }: SignalboxConfig): string {
  const server = nats.embedded === null ? `at ${nats.url}` : `embedded at ${nats.url}`;
  return `Signalbox ${VERSION} is ready: ${url} (NATS ${nats.version} ${server}, data in ${data_dir})`;
}

function loggerFor({ log }: SignalboxConfig): Logger {
  const { stderr } = process;
  return createLogger(log.level, stderr, stderr.isTTY ? stylerFor(stderr, process.env) : undefined);
}

function endOnTheUnexpected(logger: Logger): void {
  const end = (err: unknown): never => {
    logger.fatal({ err }, 'met a state that nobody expects: this process ends, running agents live on');
    return process.exit(EXIT_CODES.failure.code);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
