import { resolve } from 'node:path';
import { findDefaultFile, readNamedFile } from './config-file.ts';
import { configError } from './issues.ts';
import { readNatsContext } from './nats-context.ts';
import { defaultConfig, readConfig } from './parse-config.ts';
import type { SignalboxConfig } from './schema/config.ts';
import { applySettings, type ConfigOverrides, readSettings, type Variables } from './settings.ts';

export interface LoadConfigOptions {
  /** The file to read. Without it, the one with a default name in `cwd`, and where there is none, the defaults. */
  readonly file?: string | undefined;
  /** What paths that are not absolute are relative to, the ones in the file too. */
  readonly cwd: string;
  readonly env: Variables;
  readonly overrides?: ConfigOverrides;
}

export interface LoadedConfig {
  /** With the environment and the overrides in it, and all paths absolute. */
  readonly config: SignalboxConfig;
  /** The absolute path of the file; null where there is none. */
  readonly source: string | null;
}

/**
 * The configuration to run with: the file's, over it the environment's settings, over them the overrides.
 * @throws `config_invalid` with everything that is wrong in all of them
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const { cwd, env, overrides = {} } = options;
  const file =
    options.file === undefined ? await findDefaultFile(cwd) : await readNamedFile(options.file, cwd);
  const read = file ? readConfig(file.text, file.name) : ({ ok: true, config: defaultConfig() } as const);
  const settings = readSettings(env, overrides);
  if (!read.ok || !settings.ok) {
    throw configError([...(read.ok ? [] : read.issues), ...(settings.ok ? [] : settings.issues)]);
  }
  const config = withAbsolutePaths(applySettings(read.config, settings.settings), cwd);
  // It is read again where it is used: what it holds is nothing for a configuration, which others look at.
  if (config.nats.context !== undefined) await readNatsContext(config.nats.context, env);
  return { config, source: file?.path ?? null };
}

function withAbsolutePaths(config: SignalboxConfig, cwd: string): SignalboxConfig {
  const { program, credentials, ca_file } = config.nats;
  const { tokens_file } = config.server;
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  const agents = Object.entries(config.agents).map(([id, agent]) => [
    id,
    'cwd' in agent && agent.cwd !== undefined ? { ...agent, cwd: resolve(cwd, agent.cwd) } : agent,
  ]);
  const projects = Object.entries(config.projects).map(
    ([id, { prompt_template, prompt_builder, ...project }]) => [
      id,
      {
        ...project,
        prompt_template: prompt_template === undefined ? undefined : resolve(cwd, prompt_template),
        prompt_builder: typeof prompt_builder === 'string' ? resolve(cwd, prompt_builder) : prompt_builder,
      },
    ],
  );
  return {
    ...config,
    data_dir: resolve(cwd, config.data_dir),
    server: { ...config.server, tokens_file: absolute(tokens_file) },
    // A bare name is looked up in the PATH.
    nats: {
      ...config.nats,
      program: program?.includes('/') ? resolve(cwd, program) : program,
      credentials: absolute(credentials),
      ca_file: absolute(ca_file),
    },
    agents: Object.fromEntries(agents),
    projects: Object.fromEntries(projects),
  };
}
