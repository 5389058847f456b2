/** Dropping the snapshots, after the rebuild: the log is whole, and who is told to drop them writes that very log. */
import { pino } from 'pino';
import type { SignalboxClient } from '../../client/client.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import { snapshotsIn } from '../../daemon/data-directory.ts';
import { readHolder } from '../../daemon/lock-holder.ts';
import { createHost } from '../../process/host/host.ts';

export interface DropRequest {
  readonly client: SignalboxClient;
  readonly url: string;
  /** Whether the Signalbox at the URL was found to write this log. */
  readonly isLive: boolean;
  readonly dataDirectory: string;
}

/**
 * @returns where they were dropped, for messages
 * @throws SignalboxError `log_in_use` where a Signalbox has the directory and does not listen at the URL
 */
export async function dropSnapshots({ client, url, isLive, dataDirectory }: DropRequest): Promise<string> {
  if (isLive) {
    await client.dropSnapshots();
    return url;
  }
  const logger = pino({ level: 'silent' });
  const occupant = await readHolder(dataDirectory, createHost(logger, Date.now));
  if (occupant.kind !== 'none') {
    const who = occupant.kind === 'alive' ? `process ${occupant.holder.pid} has it` : occupant.reason;
    throw new SignalboxError(
      'log_in_use',
      `the snapshots in ${dataDirectory} are not dropped: ${who}, and does not listen at ${url}. Name it with --url, or stop it first`,
    );
  }
  await snapshotsIn(dataDirectory, logger).drop();
  return dataDirectory;
}
