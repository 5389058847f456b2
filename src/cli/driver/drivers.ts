/** Lists, shows and tests drivers: built-in ones and those of the configuration. */

import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { oneLine } from '../../base/text/printable.ts';
import { SignalboxError } from '../../contracts/errors.ts';
import {
  type DriverConfigs,
  declaredDriverNames,
  resolveDriver,
} from '../../drivers/declared/resolve-driver.ts';
import { type DriverSpec, driverConfigSchema } from '../../drivers/declared/spec.ts';
import { CODE_DRIVER_NAMES, CODE_DRIVERS } from '../../drivers/index.ts';
import { loadConfigFor } from '../config-file.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { type ConfigOptions, type JsonOption, unreadable } from '../options.ts';
import { printJson, printLines } from '../output.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { type Column, tableLines } from '../text/table.ts';
import type { Subject } from './conformance/harness.ts';
import { type CheckResult, runChecks } from './conformance/run-checks.ts';

export interface DriverOptions extends Pick<ConfigOptions, 'config'>, JsonOption {}

export interface DriverTestOptions extends DriverOptions {
  readonly recording?: string;
}

async function driversOf({ config: file }: DriverOptions): Promise<DriverConfigs> {
  return (await loadConfigFor({ config: file })).config.drivers;
}

/** @throws SignalboxError `not_found`, `config_invalid` */
function driverNamed(drivers: DriverConfigs, name: string): DriverSpec {
  const names = declaredDriverNames(drivers);
  if (names.includes(name)) return resolveDriver(drivers, name);
  throw new SignalboxError(
    'not_found',
    CODE_DRIVER_NAMES.includes(name)
      ? `driver ${name} is built into Signalbox: it has no declaration to show and no program to replace`
      : `there is no driver ${name}: use one of ${names.join(', ')}`,
  );
}

interface Row {
  readonly name: string;
  readonly program: string;
  readonly version: string | null;
  readonly prompt: string;
  readonly session: string;
  readonly output: string;
  readonly description: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'DRIVER', text: ({ name }) => name, isName: true },
  { title: 'PROGRAM', text: ({ program }) => program },
  { title: 'VERSION', text: ({ version }) => version ?? '-' },
  { title: 'PROMPT', text: ({ prompt }) => prompt },
  { title: 'SESSION', text: ({ session }) => session },
  { title: 'OUTPUT', text: ({ output }) => output },
  { title: 'DESCRIPTION', text: ({ description }) => description },
];

export async function listDrivers(terminal: Terminal, options: DriverOptions): Promise<void> {
  const drivers = await driversOf(options);
  const declared = declaredDriverNames(drivers).map((name): Row => {
    const { program, version, prompt, session, output, description } = resolveDriver(drivers, name);
    return {
      ...row(name, program, description, { prompt, session, output: output.format }),
      version: version ?? null,
    };
  });
  const inCode = CODE_DRIVERS.flatMap(({ name, listing }) =>
    listing === null ? [] : [row(name, listing.program, listing.description, listing)],
  );
  const rows = [...declared, ...inCode];
  if (options.json) printJson(terminal, rows);
  else printLines(terminal, tableLines(terminal, COLUMNS, rows));
}

function row(
  name: string,
  program: string,
  description: string,
  how: Pick<Row, 'prompt' | 'session' | 'output'>,
): Row {
  return { name, program, version: null, description, ...how };
}

export async function showDriver(terminal: Terminal, name: string, options: DriverOptions): Promise<void> {
  const { name: _name, ...spec } = driverNamed(await driversOf(options), name);
  if (options.json) printJson(terminal, { name, ...spec });
  else
    terminal.print(
      stringify(
        { drivers: { [name]: inOrder(spec) } },
        { lineWidth: 110, aliasDuplicateObjects: false },
      ).trimEnd(),
    );
}

/** The keys as the reference lists them, without those that are empty. */
function inOrder(spec: Omit<DriverSpec, 'name'>): object {
  const keys = Object.keys(driverConfigSchema.shape);
  return Object.fromEntries(
    Object.entries(spec)
      .filter(([, value]) => typeof value !== 'object' || Object.keys(value).length > 0)
      .toSorted(([a], [b]) => keys.indexOf(a) - keys.indexOf(b)),
  );
}

/** Sets exit code 1 if a check fails. */
export async function testDriver(
  terminal: Terminal,
  name: string,
  options: DriverTestOptions,
): Promise<void> {
  assertSupportedPlatform();
  const subject: Subject = name === 'command' ? 'command' : driverNamed(await driversOf(options), name);
  const recording = options.recording === undefined ? null : await readRecording(options.recording);
  const results: CheckResult[] = [];
  for await (const result of runChecks(subject, recording)) {
    results.push(result);
    if (!options.json) terminal.print(lineOf(terminal, result));
  }
  const failed = results.filter(({ holds }) => holds === false).length;
  const summary = failed === 0 ? 'all checks passed' : `${failed} of ${results.length} checks failed`;
  if (options.json) printJson(terminal, { driver: name, holds: failed === 0, checks: results });
  else terminal.print(`driver ${name}: ${summary}`);
  if (failed > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

function lineOf(terminal: Terminal, { name, holds, detail }: CheckResult): string {
  const word =
    holds === null
      ? terminal.style('dim', 'n/a  ')
      : holds
        ? terminal.style('green', 'ok   ')
        : terminal.style('red', 'FAIL ');
  const why = detail === '' || holds === null ? '' : terminal.style('dim', ` (${oneLine(detail)})`);
  return `${word}  ${name}${why}`;
}

async function readRecording(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw unreadable('the recording', file, cause);
  });
}
