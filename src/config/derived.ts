/** Values that follow from a configuration: its agents with their defaults, its public URL, its tokens file. */
import { join } from 'node:path';
import { SignalboxError } from '../contracts/errors.ts';
import type { AgentConfig } from './schema/agent-config.ts';
import type { ServerConfig, SignalboxConfig } from './schema/config.ts';

/** An agent in which `defaults` fill in what it does not set itself. */
export type ResolvedAgent = AgentConfig & {
  readonly id: string;
  readonly timeout_seconds: number;
  /** Undefined if silence alone stops nothing. */
  readonly silence_timeout_seconds: number | undefined;
  readonly kill_grace_seconds: number;
  /** `manual`, `auto`, or the agent that reviews. */
  readonly review: string;
};

/** An agent of this configuration. @throws SignalboxError `agent_not_found` */
export function resolveAgent(config: SignalboxConfig, id: string): ResolvedAgent {
  // An id may be the name of a property that every object inherits.
  const agent = Object.hasOwn(config.agents, id) ? config.agents[id] : undefined;
  if (!agent) {
    const known = Object.keys(config.agents).join(', ') || 'none';
    throw new SignalboxError(
      'agent_not_found',
      `the configuration has no agent ${JSON.stringify(id)}: its agents are ${known}`,
    );
  }
  const { defaults } = config;
  return {
    ...agent,
    id,
    timeout_seconds: agent.timeout_seconds ?? defaults.timeout_seconds,
    silence_timeout_seconds: agent.silence_timeout_seconds ?? defaults.silence_timeout_seconds,
    kill_grace_seconds: agent.kill_grace_seconds ?? defaults.kill_grace_seconds,
    review: agent.review ?? (defaults.review === id ? 'manual' : defaults.review),
  };
}

/** Addresses that mean all interfaces; agents of this machine use the loopback one. */
const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Where agents reach Signalbox, without a slash at the end.
 * @param port the port that Signalbox listens on, if the configured one is 0
 */
export function publicUrl(server: ServerConfig, port: number = server.port): string {
  const address = WILDCARDS[server.host] ?? server.host;
  const host = address.includes(':') ? `[${address}]` : address;
  return server.public_url ?? `http://${host}:${port}`;
}

/** The files that say who may use Signalbox: the hashes of tokens, and whether a token is needed. */
export function accessFiles({ server, data_dir }: SignalboxConfig): {
  readonly tokens: string;
  readonly state: string;
} {
  return {
    tokens: server.tokens_file ?? join(data_dir, 'tokens.json'),
    state: join(data_dir, 'access.json'),
  };
}
