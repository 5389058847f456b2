/** What is valid in a configuration but will not work on this machine as it is: missing programs, directories, variables. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Variables } from '../base/environment.ts';
import { PLACEHOLDERS } from '../contracts/schedules.ts';
import { resolveDriver } from '../drivers/declared/resolve-driver.ts';
import { accessFiles } from './derived.ts';
import type { ConfigProblem } from './issues.ts';
import type { SignalboxConfig } from './schema/config.ts';

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/;

/** @param env the environment in which Signalbox will run */
export function warningsOf(config: SignalboxConfig, env: Variables): readonly ConfigProblem[] {
  return [
    ...Object.keys(config.agents).flatMap((id) => agentWarnings(config, id, env)),
    ...Object.entries(config.webhooks).flatMap(([id, { secret_env }]) =>
      unset(env, ['webhooks', id, 'secret_env'], secret_env, 'Signalbox will not start'),
    ),
    ...Object.entries(config.schedules).flatMap(([id, schedule]) => scheduleWarnings(config, id, schedule)),
    ...hostWarnings(config),
  ];
}

function agentWarnings(config: SignalboxConfig, id: string, env: Variables): ConfigProblem[] {
  const agent = config.agents[id];
  if (!agent || agent.dry_run) return [];
  const cwd = 'cwd' in agent ? agent.cwd : undefined;
  const warnings: ConfigProblem[] = [];
  if (cwd !== undefined && !isDirectory(cwd)) {
    const message = `${cwd} is not a directory: create it, or its attempts cannot be started`;
    warnings.push({ path: ['agents', id, 'cwd'], message });
  }
  const program = programOf(config, agent);
  // A name without a slash is looked up in the PATH, and a relative one below the agent's directory.
  if (program !== null && !program.name.includes('{') && !isFound(program.name, cwd, env)) {
    const message = `there is no program ${program.name} on this machine: install it, or correct its name`;
    warnings.push({ path: ['agents', id, program.key], message });
  }
  if (agent.driver === 'openclaw-gateway')
    warnings.push(...unset(env, ['agents', id, 'token_env'], agent.token_env, 'the Gateway gets no token'));
  return warnings;
}

function programOf(
  { drivers }: SignalboxConfig,
  agent: SignalboxConfig['agents'][string],
): { readonly name: string; readonly key: string } | null {
  if (agent.driver === 'command') return { name: agent.command[0] ?? '', key: 'command' };
  if (agent.driver === 'declared') return { name: resolveDriver(drivers, agent.uses).program, key: 'driver' };
  return null;
}

function unset(
  env: Variables,
  path: ConfigProblem['path'],
  variable: string,
  effect: string,
): ConfigProblem[] {
  if (env[variable]) return [];
  return [
    { path, message: `the variable ${variable} is not set here: set it where Signalbox runs, or ${effect}` },
  ];
}

function scheduleWarnings(
  { agents }: SignalboxConfig,
  id: string,
  { at, task }: SignalboxConfig['schedules'][string],
): ConfigProblem[] {
  const place = ['schedules', id];
  const warnings: ConfigProblem[] = [];
  if (at !== undefined && Date.parse(at) < Date.now())
    warnings.push({ path: [...place, 'at'], message: `${at} has passed: it creates no task any more` });
  const { type } = task;
  const isKnown = Object.values(agents).some(({ capabilities }) => capabilities.includes(type ?? ''));
  if (type !== undefined && !isKnown) {
    const message = `no agent has the capability ${type}: its tasks wait until one has`;
    warnings.push({ path: [...place, 'task', 'type'], message });
  }
  for (const key of ['title', 'description'] as const) {
    for (const [text] of task[key]?.matchAll(/\{\{\s*\w+\s*\}\}/g) ?? []) {
      if (PLACEHOLDERS.some((each) => text === `{{${each}}}`)) continue;
      const known = PLACEHOLDERS.map((each) => `{{${each}}}`).join(', ');
      const message = `${text} stays as it is: known are ${known}`;
      warnings.push({ path: [...place, 'task', key], message });
    }
  }
  return warnings;
}

function hostWarnings(config: SignalboxConfig): ConfigProblem[] {
  const { host } = config.server;
  if (LOOPBACK.test(host)) return [];
  const hasTokens = existsSync(accessFiles(config).tokens);
  const message = hasTokens
    ? `${host} can be reached from other machines, without encryption: put a proxy with TLS before it`
    : `${host} can be reached from other machines, which are all refused without tokens: create some with "signalbox token new"`;
  return [{ path: ['server', 'host'], message }];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFound(name: string, cwd: string | undefined, env: Variables): boolean {
  if (name.includes('/'))
    return cwd === undefined && !name.startsWith('/') ? true : isExecutable(resolve(cwd ?? '/', name));
  return (env.PATH ?? DEFAULT_PATH).split(':').some((place) => isExecutable(join(place || '.', name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
