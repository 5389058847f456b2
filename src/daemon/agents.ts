/** From the configuration to the agents that the supervisor knows. */

import type { Environment } from '../base/environment.ts';
import { type ResolvedAgent, resolveAgent } from '../config/resolve-agent.ts';
import { DEFAULT_PASS_ENV } from '../config/schema/agent-config.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { BACKGROUND_AGENT, type BackgroundConfig } from '../contracts/api/background.ts';
import { SignalboxError, unreachable } from '../contracts/errors.ts';
import { BackgroundDriver } from '../drivers/background.ts';
import { CommandDriver } from '../drivers/command.ts';
import { type DeclaredSettings, declaredProgram } from '../drivers/declared/declared-program.ts';
import type { Driver } from '../drivers/driver.ts';
import { DryRunDriver } from '../drivers/dry-run.ts';
import { FunctionDriver, type FunctionHandler } from '../drivers/function.ts';
import { GatewayDriver, type GatewaySettings } from '../drivers/gateway/gateway-driver.ts';
import { ProgramDriver } from '../drivers/program-driver.ts';
import type { QuotaSettings } from '../drivers/quota.ts';
import { resolveDriver } from '../drivers/spec/resolve-driver.ts';
import type { AgentDefinition } from '../engine/supervisor/agent-roster.ts';
import type { ProcessRunner } from '../process/runner.ts';

export interface AgentSources {
  /** The drivers of remote agents, by agent id. */
  readonly remoteDriverOf: (agent: string) => Driver | undefined;
  readonly config: SignalboxConfig;
  /** Handlers of function agents, by agent id. */
  readonly functions: Readonly<Record<string, FunctionHandler>>;
  readonly runner: ProcessRunner;
  readonly environment: Environment;
  readonly url: () => string | null;
  readonly installation: string;
  /** Signalbox's own environment, of which agents get what they are allowed to. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws SignalboxError `config_invalid` for a function agent without a handler, or a handler without an agent */
export function defineAgents(sources: AgentSources): AgentDefinition[] {
  const { config, functions } = sources;
  for (const id of Object.keys(functions)) {
    if (Object.hasOwn(config.agents, id)) continue;
    throw new SignalboxError('config_invalid', `functions.${id}: the configuration has no agent ${id}`);
  }
  const configured = Object.keys(config.agents).map((id) => {
    const agent = resolveAgent(config, id);
    return {
      id,
      driver: driverOf(agent, sources),
      capabilities: agent.capabilities,
      concurrency: agent.concurrency,
      timeoutMs: agent.timeout_seconds * 1_000,
      killGraceMs: agent.kill_grace_seconds * 1_000,
      lingerMs: agent.kill_grace_seconds * 1_000,
      silenceMs:
        agent.silence_timeout_seconds === undefined ? undefined : agent.silence_timeout_seconds * 1_000,
      breaker: breakerOf(config.defaults.breaker),
      promptLanguage: agent.prompt_language,
      resumesSessions: 'session' in agent ? agent.session === 'resume' : undefined,
    };
  });
  return config.background ? [...configured, backgroundAgent(config.background, sources)] : configured;
}

/** Never parked: that a command fails says nothing of the next one. */
function backgroundAgent(
  { concurrency, timeout_seconds, max_output_bytes }: BackgroundConfig,
  { config, runner, url, installation, env }: AgentSources,
): AgentDefinition {
  const graceMs = config.defaults.kill_grace_seconds * 1_000;
  return {
    id: BACKGROUND_AGENT,
    driver: new BackgroundDriver({
      runner,
      url,
      installation,
      env: passed(DEFAULT_PASS_ENV, env),
      maxOutputBytes: max_output_bytes,
    }),
    capabilities: [],
    concurrency,
    timeoutMs: timeout_seconds * 1_000,
    killGraceMs: graceMs,
    lingerMs: graceMs,
    promptLanguage: 'en',
  };
}

function breakerOf({
  failures,
  cooldown_seconds,
  max_cooldown_seconds,
}: SignalboxConfig['defaults']['breaker']) {
  return { failures, cooldownMs: cooldown_seconds * 1_000, maxCooldownMs: max_cooldown_seconds * 1_000 };
}

function driverOf(agent: ResolvedAgent, sources: AgentSources): Driver {
  const now = (): number => sources.environment.clock.now();
  if (agent.dry_run) return new DryRunDriver(now);
  switch (agent.driver) {
    case 'command':
      return new CommandDriver({
        runner: sources.runner,
        url: sources.url,
        installation: sources.installation,
        settings: {
          command: agent.command,
          prompt: agent.prompt,
          cwd: agent.cwd,
          env: { ...passed(agent.pass_env, sources.env), ...agent.env },
          output: agent.output,
          maxOutputBytes: agent.max_output_bytes,
          quota: quotaOf(agent),
        },
      });
    case 'declared': {
      const { runner, url, installation } = sources;
      return new ProgramDriver(
        { runner, url, installation },
        declaredProgram(declaredSettings(agent, sources)),
      );
    }
    case 'openclaw-gateway':
      return new GatewayDriver(gatewaySettings(agent, sources));
    case 'function': {
      const handler = sources.functions[agent.id];
      if (handler) return new FunctionDriver(handler, now);
      throw new SignalboxError(
        'config_invalid',
        `agents.${agent.id}: it has the driver function, but functions.${agent.id} is missing`,
      );
    }
    case 'remote':
      return sources.remoteDriverOf(agent.id) ?? unreachableAgent(agent.id);
    default:
      return unreachable(agent, 'driverOf');
  }
}

function unreachableAgent(id: string): never {
  throw new SignalboxError('internal', `agent ${id} is a remote one without a queue`);
}

function declaredSettings(
  agent: Extract<ResolvedAgent, { driver: 'declared' }>,
  { config, env, url, installation }: AgentSources,
): DeclaredSettings {
  const spec = resolveDriver(config.drivers, agent.uses);
  return {
    spec,
    args: agent.args,
    options: agent.options,
    env: { ...passed([...spec.pass_env, ...agent.pass_env], env), ...agent.env },
    cwd: agent.cwd,
    maxOutputBytes: agent.max_output_bytes,
    output: agent.output,
    resume: agent.session === 'resume',
    url,
    installation,
    quota: quotaOf(agent),
  };
}

function gatewaySettings(
  agent: Extract<ResolvedAgent, { driver: 'openclaw-gateway' }>,
  { env, installation }: AgentSources,
): GatewaySettings {
  return {
    url: agent.url,
    token: env[agent.token_env] ?? '',
    mode: agent.mode,
    agentId: agent.agent_id,
    model: agent.model,
    thinking: agent.thinking,
    cwd: agent.cwd,
    resume: agent.session === 'resume',
    installation,
  };
}

function quotaOf({
  quota,
}: Extract<ResolvedAgent, { driver: 'command' | 'declared' }>): QuotaSettings | undefined {
  if (quota === undefined) return undefined;
  return { pattern: new RegExp(quota.pattern, 'i'), parkMs: quota.park_seconds * 1_000 };
}

function passed(names: readonly string[], env: AgentSources['env']): Record<string, string> {
  const entries = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}
