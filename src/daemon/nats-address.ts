/** How a NATS server is reached: plain data, which a thread can be given as well as a function. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { readCredentials } from '../worker/credentials.ts';

export interface NatsAddress {
  readonly servers: string | string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file for `readCredentials`. */
  readonly credentialsFile?: string;
  readonly caFile?: string;
}

/** For who stays connected for long. */
export const CONNECT_OPTIONS = {
  name: 'signalbox',
  noAsyncTraces: true,
  // For ever: while it is away the journal waits and callers get 503.
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
  reconnectJitter: 100,
  // A connection that is lost in the middle of its greeting stalls the client for this long.
  timeout: 2_000,
  pingInterval: 20_000,
} as const;

/** @throws SignalboxError `config_invalid` for a file that holds no credentials; what the client throws */
export async function connectTo({
  credentialsFile,
  caFile,
  ...address
}: NatsAddress): Promise<NatsConnection> {
  const credentials =
    credentialsFile === undefined ? {} : { authenticator: await readCredentials(credentialsFile) };
  const tls = caFile === undefined ? {} : { tls: { caFile } };
  return connect({ ...CONNECT_OPTIONS, ...address, ...credentials, ...tls });
}
