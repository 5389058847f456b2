import type { ServerConfig } from '../contracts/config.ts';

/**
 * Where agents reach Signalbox, without a slash at the end.
 * @param port the port that is listened on, where the configured one is 0
 */
export function publicUrl(server: ServerConfig, port: number = server.port): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return server.public_url ?? `http://${host}:${port}`;
}
