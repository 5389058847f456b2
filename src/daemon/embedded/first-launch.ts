import type { Logger } from 'pino';
import { messageOf, SignalboxError, unreachable } from '../../contracts/errors.ts';
import { readIfThere, replaceFile } from './files.ts';
import { readPid } from './guard.ts';
import { describeFailure, type LaunchFailure, type LaunchResult, type ReadyServer } from './launch.ts';
import type { Layout } from './layout.ts';

/** Lets the server choose. */
export const ANY_PORT = -1;

export type FirstLaunch = Readonly<{
  launch: (port: number) => Promise<LaunchResult>;
  layout: Layout;
  /** Undefined: the port of the last start if it is free, else any. */
  port: number | undefined;
  logger: Logger;
}>;

/**
 * Starts the server once, and remembers its port for the next start. Throws `log_in_use`, `address_in_use` or
 * `nats_unavailable`; then no server is left running.
 */
export async function launchFirst({ launch, layout, port, logger }: FirstLaunch): Promise<ReadyServer> {
  const wanted = port ?? (await rememberedPort(layout)) ?? ANY_PORT;
  let result = await launch(wanted);
  if (result.kind === 'port_taken' && port === undefined) {
    logger.warn({ port: wanted }, 'the port of the last start is taken: the NATS server gets another one');
    result = await launch(ANY_PORT);
  }
  if (result.kind !== 'ready') throw await startError(result, layout, wanted);
  await rememberPort(layout, result.server.port, logger);
  return result.server;
}

async function rememberedPort(layout: Layout): Promise<number | undefined> {
  const port = Number.parseInt((await readIfThere(layout.portFile)) ?? '', 10);
  return port > 0 && port < 65_536 ? port : undefined;
}

async function rememberPort(layout: Layout, port: number, logger: Logger): Promise<void> {
  try {
    await replaceFile(layout.portFile, `${port}\n`);
  } catch (error) {
    // Costs other programs the address after the next start; no reason to have no server.
    logger.warn(
      { file: layout.portFile, reason: messageOf(error) },
      'the port of the NATS server cannot be kept',
    );
  }
}

async function startError(failure: LaunchFailure, layout: Layout, port: number): Promise<SignalboxError> {
  const { directory, logFile } = layout;
  switch (failure.kind) {
    case 'in_use': {
      const pid = await readPid(layout);
      const owner = pid === undefined ? '' : ` (its nats-server has pid ${pid})`;
      return new SignalboxError(
        'log_in_use',
        `the directory ${directory} is in use by another Signalbox${owner}: stop that one, or choose another data directory`,
        { details: { directory, pid } },
      );
    }
    case 'port_taken':
      return new SignalboxError(
        'address_in_use',
        `127.0.0.1:${port} is taken by another program: choose another port for the embedded NATS server, or none`,
        { details: { port } },
      );
    case 'failed':
    case 'aborted':
      return new SignalboxError(
        'nats_unavailable',
        `the embedded NATS server did not start: ${describeFailure(failure)} (its log is ${logFile})`,
        { details: { directory, logFile } },
      );
    default:
      return unreachable(failure, 'launch result');
  }
}
