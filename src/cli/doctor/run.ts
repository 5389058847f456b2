/** Runs all checks, and prints what they find. */

import { printable } from '../../base/text/printable.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import { defaultConfig } from '../../config/parse-config.ts';
import { messageOf } from '../../contracts/errors.ts';
import { loadConfigFor } from '../config-file.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { ConfigOptions, ServerOptions } from '../options.ts';
import { printJson } from '../output.ts';
import type { Style, Terminal } from '../terminal.ts';
import { checkAccess } from './access-check.ts';
import { checkEarlierRuns } from './earlier-runs.ts';
import { type Check, type Finding, fail, ok } from './finding.ts';
import { checkNats } from './nats-check.ts';
import {
  checkContainment,
  checkData,
  checkGuards,
  checkLog,
  checkNode,
  checkPlatform,
  checkServer,
} from './system-checks.ts';
import { checkWorkspaces } from './workspaces-check.ts';

export interface DoctorOptions extends ServerOptions, ConfigOptions {
  readonly repair?: boolean;
}

const CHECKS: readonly Check[] = [
  checkNode,
  checkPlatform,
  checkNats,
  checkContainment,
  checkGuards,
  checkData,
  checkAccess,
  checkServer,
  checkLog,
  checkEarlierRuns,
  checkWorkspaces,
];

const STYLES: Readonly<Record<Finding['status'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };
const STATUS_WIDTH = 4;
const CHECK_WIDTH = 14;

export async function runDoctor(terminal: Terminal, options: DoctorOptions): Promise<void> {
  const { config, finding } = await configOf(options);
  // Without a valid configuration, the data directory to repair is unknown.
  const repair = options.repair === true && finding.status === 'ok';
  const context = { config, env: process.env, url: options.url, repair };
  const found = await Promise.all(CHECKS.map((check) => check(context)));
  const findings = [finding, ...found.flat()];
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (options.json) printJson(terminal, { ok: failed === 0, findings });
  else for (const each of findings) terminal.print(textOf(terminal, each));
  if (failed > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

async function configOf(
  options: DoctorOptions,
): Promise<{ readonly config: LoadedConfig['config']; readonly finding: Finding }> {
  try {
    const { config, source } = await loadConfigFor({ config: options.config, dataDir: options.dataDir });
    return { config, finding: ok('configuration', source ?? 'no configuration file: the defaults apply') };
  } catch (error) {
    const finding = fail(
      'configuration',
      messageOf(error),
      'fix the file; "signalbox config check" checks it',
    );
    return { config: defaultConfig(), finding };
  }
}

function textOf(terminal: Terminal, { check, status, detail, advice }: Finding): string {
  const indent = ' '.repeat(STATUS_WIDTH + CHECK_WIDTH + 2);
  const lines = printable(detail).split('\n');
  const shown = terminal.style(STYLES[status], status.padEnd(STATUS_WIDTH));
  const head = `${shown} ${check.padEnd(CHECK_WIDTH)} ${lines[0]}`;
  const rest = [...lines.slice(1), ...(advice === undefined ? [] : [`→ ${advice}`])];
  return [head, ...rest.map((line) => `${indent}${line}`)].join('\n');
}
