/** The address of a NATS server: plain data that can be passed to a thread, from the configuration or a NATS context. */
import {
  type Authenticator,
  connect,
  type NatsConnection,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import type { Variables } from '../base/environment.ts';
import { readNatsContext } from '../config/nats-context.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { readCredentials } from '../worker/credentials.ts';

export interface NatsAddress {
  readonly servers: string | string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file for `readCredentials`. */
  readonly credentialsFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the server speaks TLS from the first byte on. */
  readonly isTlsFirst?: boolean;
}

export const CONNECT_OPTIONS = {
  name: 'signalbox',
  noAsyncTraces: true,
  // Reconnects for ever: meanwhile the journal waits and callers get 503.
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
  reconnectJitter: 100,
  // A connection that is lost during the handshake blocks the client for this long.
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

/** A NATS server that the configuration names, by its address or by a context of the `nats` command line. */
export interface GivenServer {
  readonly address: NatsAddress;
  readonly url: string;
}

/** Whether the configuration names a server; otherwise Signalbox starts its own. */
export function isServerGiven({ nats }: SignalboxConfig): boolean {
  return nats.url !== undefined || nats.context !== undefined;
}

/** null if the configuration names no server. @throws SignalboxError `config_invalid` for a context that cannot be used */
export async function givenServer({ nats }: SignalboxConfig, env: Variables): Promise<GivenServer | null> {
  if (nats.context !== undefined) {
    const { url, user, password, isTlsFirst, ...context } = await readNatsContext(nats.context, env);
    const who = user === undefined ? {} : { user, pass: password ?? '' };
    return serverAt(url, { ...context, ...who, ...(isTlsFirst && { isTlsFirst }) });
  }
  if (nats.url === undefined) return null;
  return serverAt(nats.url, {
    ...(nats.credentials !== undefined && { credentialsFile: nats.credentials }),
    ...(nats.ca_file !== undefined && { caFile: nats.ca_file }),
  });
}

function serverAt(url: string, others: Omit<NatsAddress, 'servers'>): GivenServer {
  const given = url.split(',').map((each) => each.trim());
  // The client does not read credentials from URLs: they are passed separately.
  const servers = given.map((each) => each.replace(/^((?:[a-z]+:\/\/)?)[^@/]*@/, '$1'));
  const named = others.credentialsFile === undefined ? credentialsOf(given[0] ?? '') : {};
  return { address: { servers, ...named, ...others }, url: servers.join(',') };
}

/** The credentials in `nats://user:password@host:port`, as other NATS tools accept them. */
function credentialsOf(server: string): { user?: string; pass?: string; token?: string } {
  const [, user, , password] = /^(?:[a-z]+:\/\/)?([^:@/]+)(:([^@]*))?@/.exec(server) ?? [];
  if (user === undefined) return {};
  if (password === undefined) return { token: decodeURIComponent(user) };
  return { user: decodeURIComponent(user), pass: decodeURIComponent(password) };
}
