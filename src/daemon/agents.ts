/** From the configuration to the agents that the supervisor knows. */
import { resolve } from 'node:path';
import type { Environment, Variables } from '../base/environment.ts';
import { resolveAgent } from '../config/derived.ts';
import type { SignalboxConfig } from '../config/schema/config.ts';
import { BACKGROUND_AGENT, type BackgroundConfig } from '../contracts/api/background.ts';
import { SignalboxError } from '../contracts/errors.ts';
import { BackgroundDriver } from '../drivers/background.ts';
import {
  DEFAULT_PASS_ENV,
  type DriverServices,
  pickEnvironment,
  type WorkspaceConfig,
} from '../drivers/definition.ts';
import { createDriver } from '../drivers/index.ts';
import type { AgentDefinition } from '../engine/supervisor/agent-roster.ts';
import type { WorkspaceSettings } from '../engine/supervisor/workspaces/workspace-settings.ts';

const DAY_MS = 86_400_000;

export interface AgentSources extends Omit<DriverServices, 'now' | 'drivers'> {
  readonly config: SignalboxConfig;
  readonly environment: Environment;
}

/** @throws SignalboxError `config_invalid` for a function agent without a handler, or a handler without an agent */
export function defineAgents(sources: AgentSources): AgentDefinition[] {
  const { config, environment, functions } = sources;
  const services = { ...sources, now: () => environment.clock.now(), drivers: config.drivers };
  for (const id of Object.keys(functions)) {
    if (Object.hasOwn(config.agents, id)) continue;
    throw new SignalboxError('config_invalid', `functions.${id}: the configuration has no agent ${id}`);
  }
  const configured = Object.keys(config.agents).map((id) => {
    const agent = resolveAgent(config, id);
    return {
      id,
      driver: createDriver(agent, services),
      capabilities: agent.capabilities,
      concurrency: agent.concurrency,
      timeoutMs: agent.timeout_seconds * 1_000,
      killGraceMs: agent.kill_grace_seconds * 1_000,
      lingerMs: agent.kill_grace_seconds * 1_000,
      silenceMs:
        agent.silence_timeout_seconds === undefined ? undefined : agent.silence_timeout_seconds * 1_000,
      breaker: breakerOf(config.defaults.breaker),
      questions: {
        parkAfterMs: agent.park_after_seconds === undefined ? undefined : agent.park_after_seconds * 1_000,
        keepaliveMs: agent.question_keepalive_seconds * 1_000,
        permissions: agent.permissions,
        answeredBy: agent.answered_by,
      },
      workspace: 'workspace' in agent ? workspaceOf(agent, sources.env) : undefined,
      promptLanguage: agent.prompt_language,
      resumesSessions: 'session' in agent ? agent.session === 'resume' : undefined,
    };
  });
  return config.background ? [...configured, backgroundAgent(config.background, sources)] : configured;
}

function workspaceOf(
  {
    workspace,
    pass_env,
    env,
  }: {
    readonly workspace?: WorkspaceConfig | undefined;
    readonly pass_env: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
  own: Variables,
): WorkspaceSettings | undefined {
  if (workspace === undefined) return undefined;
  const { repository, base, branch, setup, setup_timeout_seconds, on_approve, keep_days } = workspace;
  return {
    repository: resolve(repository),
    base,
    branch,
    setUp: setup,
    setUpTimeoutMs: setup_timeout_seconds * 1_000,
    env: { ...pickEnvironment(pass_env, own), ...env },
    onApprove: on_approve === 'none' ? null : on_approve,
    keepMs: Math.round(keep_days * DAY_MS),
  };
}

/** Never parked: a command that fails says nothing about the next one. */
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
      env: pickEnvironment(DEFAULT_PASS_ENV, env),
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
