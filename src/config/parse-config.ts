import { BUNDLED_DRIVER_NAMES } from '../drivers/bundled/index.ts';
import { check } from './check.ts';
import { type ConfigIssue, configError, fieldOf } from './issues.ts';
import {
  configFileSchemaFor,
  configSchema,
  configSchemaFor,
  type SignalboxConfig,
  type SignalboxConfigInput,
} from './schema/config.ts';
import { readYaml } from './yaml-source.ts';

/** What a text says: a configuration, or all that is wrong with it. */
export type ReadConfig =
  | { readonly ok: true; readonly config: SignalboxConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

export function readConfig(text: string, file: string): ReadConfig {
  const source = readYaml(text);
  const issues = source.problems.map(
    ({ path, message, line, column }): ConfigIssue => ({ file, line, column, field: fieldOf(path), message }),
  );
  if (source.value === undefined) return { ok: false, issues };
  // An empty file is one that sets nothing.
  const checked = check(configFileSchemaFor(driverNamesIn(source.value)), source.value ?? {});
  if (!checked.ok) {
    for (const { path, message } of checked.problems) {
      issues.push({ file, ...source.placeOf(path), field: fieldOf(path), message });
    }
  } else if (issues.length === 0) {
    const { $schema, ...config } = checked.value;
    return { ok: true, config };
  }
  return { ok: false, issues };
}

/**
 * The configuration that a text in YAML or JSON describes, with all defaults filled in and paths as they stand there.
 * @param file the name to show in messages
 * @throws `config_invalid` with everything that is wrong, each with its line and column
 */
export function parseConfig(text: string, file: string): SignalboxConfig {
  const read = readConfig(text, file);
  if (!read.ok) throw configError(read.issues);
  return read.config;
}

/**
 * The configuration that a program gives as an object, with all defaults filled in.
 * @throws `config_invalid` with everything that is wrong
 */
export function checkConfig(input: SignalboxConfigInput): SignalboxConfig {
  const checked = check(configSchemaFor(driverNamesIn(input)), input);
  if (checked.ok) return checked.value;
  throw configError(
    checked.problems.map(({ path, message }) => ({
      file: null,
      line: null,
      column: null,
      field: fieldOf(path),
      message,
    })),
  );
}

/** The configuration where no file says otherwise. */
export function defaultConfig(): SignalboxConfig {
  return configSchema.parse({});
}

/** The drivers that an agent may name: those that come along, and those that stand in the configuration itself. */
function driverNamesIn(value: unknown): string[] {
  const drivers: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'drivers') : undefined;
  const own = typeof drivers === 'object' && drivers !== null ? Object.keys(drivers) : [];
  return [...new Set([...BUNDLED_DRIVER_NAMES, ...own])];
}
