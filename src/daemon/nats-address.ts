/** How a NATS server is reached: plain data, which a thread can be given as well as a function. */
import {
  type Authenticator,
  connect,
  type NatsConnection,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { readCredentials } from '../worker/credentials.ts';

export interface NatsAddress {
  readonly servers: string | string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file for `readCredentials`. */
  readonly credentialsFile?: string;
  readonly caFile?: string;
  /** What this side proves itself with, over TLS. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the server speaks TLS from the first byte on. */
  readonly isTlsFirst?: boolean;
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
export async function connectTo(address: NatsAddress): Promise<NatsConnection> {
  const authenticator = await authenticatorOf(address);
  const tls = tlsOf(address);
  return connect({
    ...CONNECT_OPTIONS,
    servers: address.servers,
    ...(authenticator !== undefined && { authenticator }),
    ...(tls !== undefined && { tls }),
  });
}

/** @throws SignalboxError `config_invalid` for a file that holds no credentials */
export async function authenticatorOf(address: NatsAddress): Promise<Authenticator | undefined> {
  const { credentialsFile, user, pass, token } = address;
  if (credentialsFile !== undefined) return readCredentials(credentialsFile);
  if (token !== undefined) return tokenAuthenticator(token);
  return user === undefined ? undefined : usernamePasswordAuthenticator(user, pass);
}

export function tlsOf({ caFile, certFile, keyFile, isTlsFirst }: NatsAddress): TlsOptions | undefined {
  const tls = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
    ...(isTlsFirst && { handshakeFirst: true }),
  };
  return Object.keys(tls).length === 0 ? undefined : tls;
}
