import type { ServerConfig } from './schema/config.ts';

/** Every address of this machine: its agents take the loopback one. */
const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Where agents reach Signalbox, without a slash at the end.
 * @param port the port that is listened on, where the configured one is 0
 */
export function publicUrl(server: ServerConfig, port: number = server.port): string {
  const address = WILDCARDS[server.host] ?? server.host;
  const host = address.includes(':') ? `[${address}]` : address;
  return server.public_url ?? `http://${host}:${port}`;
}
