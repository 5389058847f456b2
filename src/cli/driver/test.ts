import { readFile } from 'node:fs/promises';
import { messageOf, SignalboxError } from '../../contracts/errors.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { oneLine } from '../text/printable.ts';
import type { Subject } from './conformance/lab.ts';
import { type CheckResult, runChecks } from './conformance/run-checks.ts';
import { driverNamed, driversOf } from './drivers.ts';
import type { DriverTestOptions } from './index.ts';

/** Exit code 1 where something does not hold. */
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
  if (options.json)
    terminal.print(JSON.stringify({ driver: name, holds: failed === 0, checks: results }, null, 2));
  else
    terminal.print(
      failed === 0
        ? `driver ${name}: everything holds`
        : `driver ${name}: ${failed} of ${results.length} do not hold`,
    );
  if (failed > 0) terminal.exitCode = EXIT_CODES.failure.code;
}

function lineOf(terminal: Terminal, { name, holds, detail }: CheckResult): string {
  const word =
    holds === null
      ? terminal.style('dim', 'n/a  ')
      : holds
        ? terminal.style('green', 'holds')
        : terminal.style('red', 'FAILS');
  const why = detail === '' || holds === null ? '' : terminal.style('dim', ` (${oneLine(detail)})`);
  return `${word}  ${name}${why}`;
}

async function readRecording(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SignalboxError('invalid_request', `the recording ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
