/**
 * Bytes of storage that Signalbox reserves on a NATS server: the server counts the limit of each stream as used, and refuses
 * a stream that does not fit. The log has no limit of its own: it takes what is left.
 */

const MEGABYTE = 1_048_576;

/** An agent may leave as much in its bucket. */
export const BUCKET_BYTES = 512 * MEGABYTE;

/** The streams beside the log. */
export interface StreamSizes {
  readonly agentMessages: number;
  readonly work: number;
  readonly rejected: number;
}

/** Without remote agents there are no jobs, and few messages: agents on this machine report over HTTP. */
export function streamSizes(remoteAgents: number): StreamSizes {
  return remoteAgents === 0
    ? { agentMessages: 16 * MEGABYTE, work: MEGABYTE, rejected: 4 * MEGABYTE }
    : { agentMessages: 256 * MEGABYTE, work: 256 * MEGABYTE, rejected: 32 * MEGABYTE };
}

/** What the log needs to be of use: some tens of thousands of events. */
const MIN_LOG_BYTES = 43 * MEGABYTE;

/** The smallest storage with which Signalbox starts: 64 MiB, and 1.1 GiB with one remote agent. */
export function minimumStorageBytes(remoteAgents: number): number {
  const { agentMessages, work, rejected } = streamSizes(remoteAgents);
  return agentMessages + work + rejected + remoteAgents * BUCKET_BYTES + MIN_LOG_BYTES;
}

/** As the part of a sentence: why that much. */
export function minimumStorageText(remoteAgents: number): string {
  const bytes = minimumStorageBytes(remoteAgents);
  const agents = remoteAgents === 1 ? 'one remote agent' : `${remoteAgents} remote agents`;
  return `${bytes} bytes (${Math.ceil(bytes / MEGABYTE)} MiB${remoteAgents === 0 ? '' : ` with ${agents}`})`;
}
