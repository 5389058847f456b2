/** The NATS server that Signalbox is given, by its address or by a context of the `nats` command line. */
import { readNatsContext } from '../config/nats-context.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import type { Variables } from '../config/settings.ts';
import type { NatsAddress } from './nats-address.ts';

export interface GivenServer {
  readonly address: NatsAddress;
  /** Without credentials. */
  readonly url: string;
}

/** Otherwise it starts its own. */
export function isServerGiven({ nats }: SignalboxConfig): boolean {
  return nats.url !== undefined || nats.context !== undefined;
}

/** @returns null where none is given @throws SignalboxError `config_invalid` for a context that cannot be used */
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
  // The client does not read credentials from addresses: they are handed to it apart.
  const servers = given.map((each) => each.replace(/^((?:[a-z]+:\/\/)?)[^@/]*@/, '$1'));
  const named = others.credentialsFile === undefined ? credentialsOf(given[0] ?? '') : {};
  return { address: { servers, ...named, ...others }, url: servers.join(',') };
}

/** `nats://user:password@host:port`, as other NATS tools take it. */
function credentialsOf(server: string): { user?: string; pass?: string; token?: string } {
  const [, user, , password] = /^(?:[a-z]+:\/\/)?([^:@/]+)(:([^@]*))?@/.exec(server) ?? [];
  if (user === undefined) return {};
  if (password === undefined) return { token: decodeURIComponent(user) };
  return { user: decodeURIComponent(user), pass: decodeURIComponent(password) };
}
