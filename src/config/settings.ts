/** Settings that environment variables and command-line options replace; an option outranks a variable. */
import type { z } from 'zod';
import type { Variables } from '../base/environment.ts';
import { checkValue } from './check.ts';
import { type ConfigIssue, issueAt } from './issues.ts';
import { type SignalboxConfig, settingsSchema } from './schema/config.ts';

/** The variable and the option of each setting. */
export const SETTING_SOURCES = {
  data_dir: { variable: 'SIGNALBOX_DATA_DIR', option: '--data-dir' },
  host: { variable: 'SIGNALBOX_HOST', option: '--host' },
  port: { variable: 'SIGNALBOX_PORT', option: '--port' },
  nats_url: { variable: 'NATS_URL', option: '--nats-url' },
  nats_context: { variable: 'NATS_CONTEXT', option: '--nats-context' },
  log_level: { variable: 'SIGNALBOX_LOG_LEVEL', option: '--log-level' },
} as const satisfies Record<keyof Settings, { variable: string; option: string }>;

type Settings = z.output<typeof settingsSchema>;
type SettingName = keyof Settings;
const SETTING_NAMES = Object.keys(SETTING_SOURCES) as SettingName[];

/** Values of command-line options, as typed. */
export type ConfigOverrides = { readonly [Name in SettingName]?: string | number | undefined };

export type ReadSettings =
  | { readonly ok: true; readonly settings: Partial<Settings> }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Reads the settings from variables and options; an empty variable counts as not set. Never throws. */
export function readSettings(env: Variables, overrides: ConfigOverrides): ReadSettings {
  const values: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  for (const name of SETTING_NAMES) {
    const { variable, option } = SETTING_SOURCES[name];
    const override = overrides[name];
    const value = override ?? (env[variable] || undefined);
    if (value === undefined) continue;
    values[name] = name === 'port' ? numberIn(value) : value;
    sources.set(name, override === undefined ? variable : option);
  }
  const clash = oneServer(values, sources);
  const checked = checkValue(settingsSchema.partial(), values);
  if (checked.ok && !clash) return { ok: true, settings: checked.value };
  const issues = (checked.ok ? [] : checked.problems).map(({ path, message }) => {
    const name = String(path[0]);
    return issueAt(null, sources.get(name) ?? name, message);
  });
  return { ok: false, issues: clash ? [clash, ...issues] : issues };
}

/** If an option and a variable name a server, the option counts; two of the same kind contradict each other. */
function oneServer(values: Record<string, unknown>, sources: Map<string, string>): ConfigIssue | null {
  const [url, context] = [sources.get('nats_url'), sources.get('nats_context')];
  if (url === undefined || context === undefined) return null;
  const isOption = (source: string): boolean => source.startsWith('--');
  if (isOption(url) === isOption(context)) {
    return issueAt(null, context, `${url} names a server too: keep one of them`);
  }
  delete values[isOption(url) ? 'nats_context' : 'nats_url'];
  return null;
}

function numberIn(value: string | number): string | number {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

/** The configuration with the settings in it. */
export function applySettings(config: SignalboxConfig, settings: Partial<Settings>): SignalboxConfig {
  const { data_dir, host, port, log_level } = settings;
  return {
    ...config,
    data_dir: data_dir ?? config.data_dir,
    server: { ...config.server, host: host ?? config.server.host, port: port ?? config.server.port },
    nats: withServer(config.nats, settings),
    log: { ...config.log, level: log_level ?? config.log.level },
  };
}

/** A context replaces everything that the file says about the server; an address replaces only the address. */
function withServer(
  nats: SignalboxConfig['nats'],
  { nats_url, nats_context }: Partial<Settings>,
): SignalboxConfig['nats'] {
  if (nats_context !== undefined) {
    return { ...nats, context: nats_context, url: undefined, credentials: undefined, ca_file: undefined };
  }
  return nats_url === undefined ? nats : { ...nats, url: nats_url, context: undefined };
}
