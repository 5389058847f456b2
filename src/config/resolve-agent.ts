import { SignalboxError } from '../contracts/errors.ts';
import type { AgentConfig } from './schema/agent-config.ts';
import type { SignalboxConfig } from './schema/config.ts';

/** An agent with nothing left open: what it does not say itself comes from `defaults`. */
export type ResolvedAgent = AgentConfig & {
  readonly id: string;
  readonly timeout_seconds: number;
  /** Absent where silence alone stops nothing. */
  readonly silence_timeout_seconds: number | undefined;
  readonly kill_grace_seconds: number;
  /** `manual`, `auto`, or the agent that reviews. */
  readonly review: string;
};

/** The settings of an agent of this configuration; `agent_not_found` for any other id. */
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
