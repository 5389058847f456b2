/** Whether Signalbox can run here, and what to do where it cannot. */
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { defaultConfig } from '../../config/parse-config.ts';
import { messageOf } from '../../contracts/errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Style, Terminal } from '../terminal.ts';
import { printable } from '../text/printable.ts';
import { checkData } from './data-check.ts';
import type { DoctorOptions } from './doctor.ts';
import { checkEarlierRuns } from './earlier-runs.ts';
import { type Check, type Finding, fail, ok } from './finding.ts';
import { checkNats } from './nats-check.ts';
import { checkServer } from './server-check.ts';
import { checkGuards, checkNode, checkPlatform } from './system-checks.ts';

const CHECKS: readonly Check[] = [
  checkNode,
  checkPlatform,
  checkNats,
  checkGuards,
  checkData,
  checkServer,
  checkEarlierRuns,
];

const STYLES: Readonly<Record<Finding['status'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };
const STATUS_WIDTH = 4;
const CHECK_WIDTH = 14;

export async function doctor(terminal: Terminal, options: DoctorOptions): Promise<void> {
  const { config, finding } = await configOf(options);
  // Where the configuration is not known, neither is what it would be that is repaired.
  const repair = options.repair === true && finding.status === 'ok';
  const context = { config, env: process.env, url: options.url, repair };
  const found = await Promise.all(CHECKS.map((check) => check(context)));
  const findings = [finding, ...found.flat()];
  const failed = findings.filter(({ status }) => status === 'fail').length;
  if (options.json) terminal.print(JSON.stringify({ ok: failed === 0, findings }, null, 2));
  else for (const each of findings) terminal.print(textOf(terminal, each));
  if (failed > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

async function configOf(
  options: DoctorOptions,
): Promise<{ readonly config: LoadedConfig['config']; readonly finding: Finding }> {
  const overrides = { data_dir: options.dataDir };
  const place = { cwd: process.cwd(), env: process.env };
  try {
    const { config, source } = await loadConfig({ ...place, file: options.config, overrides });
    return { config, finding: ok('configuration', source ?? 'no file: the defaults') };
  } catch (error) {
    const finding = fail(
      'configuration',
      messageOf(error),
      'correct it: "signalbox config check" says the same',
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
