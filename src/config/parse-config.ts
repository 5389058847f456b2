/** Reads a configuration from a text in YAML or JSON, or from an object. */
import { z } from 'zod';
import { BUNDLED_DRIVER_NAMES } from '../drivers/bundled/index.ts';
import { checkValue } from './check.ts';
import { allowDurations, withSeconds } from './durations.ts';
import { type ConfigIssue, configError, fieldOf, issueAt } from './issues.ts';
import {
  configFileSchemaFor,
  configSchema,
  configSchemaFor,
  type SignalboxConfig,
  type SignalboxConfigInput,
} from './schema/config.ts';
import { readYaml } from './yaml-source.ts';

/** A configuration, or everything that is wrong with it. */
export type ReadConfig =
  | { readonly ok: true; readonly config: SignalboxConfig }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/** Reads the text of a configuration file. Never throws. @param file the name to show in messages */
export function readConfig(text: string, file: string): ReadConfig {
  const source = readYaml(text);
  const issues = source.problems.map(
    ({ path, message, line, column }): ConfigIssue => ({ file, line, column, field: fieldOf(path), message }),
  );
  if (source.value === undefined) return { ok: false, issues };
  // An empty file sets nothing.
  const checked = checkValue(
    configFileSchemaFor(driverNamesIn(source.value)),
    withSeconds(source.value ?? {}),
  );
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
 * The configuration in a text in YAML or JSON, with all defaults and with paths as they are written.
 * @param file the name to show in messages
 * @throws SignalboxError `config_invalid` with everything that is wrong, each with its line and column
 */
export function parseConfig(text: string, file: string): SignalboxConfig {
  const read = readConfig(text, file);
  if (!read.ok) throw configError(read.issues);
  return read.config;
}

/**
 * The configuration that a program gives as an object, with all defaults.
 * @throws SignalboxError `config_invalid` with everything that is wrong
 */
export function checkConfig(input: SignalboxConfigInput): SignalboxConfig {
  const checked = checkValue(configSchemaFor(driverNamesIn(input)), withSeconds(input));
  if (checked.ok) return checked.value;
  throw configError(checked.problems.map(({ path, message }) => issueAt(null, fieldOf(path), message)));
}

/** The configuration without a file. */
export function defaultConfig(): SignalboxConfig {
  return configSchema.parse({});
}

/** The JSON Schema of the configuration file, in the draft that editors support best. */
export function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configFileSchemaFor(BUNDLED_DRIVER_NAMES), {
      io: 'input',
      target: 'draft-7',
      override: ({ jsonSchema, path }) => allowDurations(path.at(-1), jsonSchema),
    }),
    title: 'Signalbox configuration',
  };
}

/** The drivers that an agent may name: the bundled ones and those of the configuration itself. */
function driverNamesIn(value: unknown): string[] {
  const drivers: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'drivers') : undefined;
  const own = typeof drivers === 'object' && drivers !== null ? Object.keys(drivers) : [];
  return [...new Set([...BUNDLED_DRIVER_NAMES, ...own])];
}
