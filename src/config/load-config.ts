/** Loads the configuration to run with, from its file, the environment and command-line options. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Variables } from '../base/environment.ts';
import { readRegular } from '../base/regular-files.ts';
import { hasCode, messageOf, type SignalboxError } from '../contracts/errors.ts';
import { DEFAULT_CONFIG_NAMES } from './default-names.ts';
import { configError, issueAt } from './issues.ts';
import { readNatsContext } from './nats-context.ts';
import { defaultConfig, readConfig } from './parse-config.ts';
import type { SignalboxConfig } from './schema/config.ts';
import { applySettings, type ConfigOverrides, readSettings } from './settings.ts';

export interface LoadConfigOptions {
  /** The file to read. Default: the one with a default name in `cwd`; without one, the defaults. */
  readonly file?: string | undefined;
  /** What relative paths are relative to, including those in the file. */
  readonly cwd: string;
  readonly env: Variables;
  readonly overrides?: ConfigOverrides;
}

export interface LoadedConfig {
  /** With the environment and the overrides in it, and all paths absolute. */
  readonly config: SignalboxConfig;
  /** The absolute path of the file; null if there is none. */
  readonly source: string | null;
}

/**
 * The configuration to run with: the file's, over it the settings of the environment, over them the overrides.
 * @throws SignalboxError `config_invalid` with everything that is wrong in all of them
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
  // Only checked here and read again when it is used: its secrets must not become part of a configuration.
  if (config.nats.context !== undefined) await readNatsContext(config.nats.context, env);
  return { config, source: file?.path ?? null };
}

function withAbsolutePaths(config: SignalboxConfig, cwd: string): SignalboxConfig {
  const { program, credentials, ca_file } = config.nats;
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  const agents = Object.entries(config.agents).map(([id, agent]) => [
    id,
    'cwd' in agent ? { ...agent, cwd: absolute(agent.cwd) } : agent,
  ]);
  const projects = Object.entries(config.projects).map(
    ([id, { prompt_template, prompt_builder, ...project }]) => [
      id,
      {
        ...project,
        prompt_template: absolute(prompt_template),
        prompt_builder: typeof prompt_builder === 'string' ? absolute(prompt_builder) : prompt_builder,
      },
    ],
  );
  return {
    ...config,
    data_dir: resolve(cwd, config.data_dir),
    server: { ...config.server, tokens_file: absolute(config.server.tokens_file) },
    nats: {
      ...config.nats,
      // A bare name is looked up in the PATH.
      program: program?.includes('/') ? resolve(cwd, program) : program,
      credentials: absolute(credentials),
      ca_file: absolute(ca_file),
    },
    agents: Object.fromEntries(agents),
    projects: Object.fromEntries(projects),
  };
}

const MAX_FOUND_BYTES = 16 * 1_024 * 1_024;

interface ConfigFile {
  /** As given, for messages. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

async function readNamedFile(name: string, cwd: string): Promise<ConfigFile> {
  // It may be a pipe.
  const file = await readIfThere(name, cwd, readFile);
  if (file) return file;
  throw fileError(name, `there is no such file in ${cwd}: name another, or none to run with the defaults`);
}

async function findDefaultFile(cwd: string): Promise<ConfigFile | null> {
  const candidates = await Promise.all(DEFAULT_CONFIG_NAMES.map((name) => readIfThere(name, cwd, readFound)));
  const [file, second] = candidates.filter((candidate) => candidate !== null);
  if (file && second) {
    throw fileError(second.name, `${file.name} exists as well: keep one of them, or name the one to use`);
  }
  return file ?? null;
}

/** A file that is only looked for, and so may be anything: a FIFO would block the start. */
async function readFound(path: string): Promise<Buffer | null> {
  return readRegular(path, MAX_FOUND_BYTES, { followLinks: true });
}

async function readIfThere(
  name: string,
  cwd: string,
  read: (path: string) => Promise<Buffer | null>,
): Promise<ConfigFile | null> {
  const path = resolve(cwd, name);
  let bytes: Buffer | null;
  try {
    bytes = await read(path);
    if (bytes === null) return null;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw fileError(name, `cannot be read: ${messageOf(error)}`, error);
  }
  try {
    return { name, path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    throw fileError(name, 'is not UTF-8: save it in this encoding', error);
  }
}

function fileError(file: string, message: string, cause?: unknown): SignalboxError {
  return configError([issueAt(file, '', message)], cause);
}
