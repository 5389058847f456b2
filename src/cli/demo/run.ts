/**
 * All of Signalbox on real input, from a task to a real process and back, and the proof that its log is all that it
 * needs. Whatever happens, nothing of it is left.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignalboxError } from '../../contracts/errors.ts';
import { VERSION } from '../../version.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { listenForInterruptions } from '../interruptions.ts';
import { createLogger } from '../log-stream.ts';
import { assertSupportedPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { play } from './acts.ts';
import type { DemoOptions } from './demo.ts';
import { configFor } from './stage.ts';

export async function demo(terminal: Terminal, { keep }: DemoOptions): Promise<void> {
  assertSupportedPlatform();
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-demo-'));
  const logFile = openSync(join(directory, 'signalbox.log'), 'a', 0o600);
  const logger = createLogger('debug', { write: (line) => writeSync(logFile, line) });
  const end = new AbortController();
  terminal.onReaderGone(() => end.abort());
  const interruptions = listenForInterruptions((count) => {
    end.abort();
    if (count > 2) process.exit(EXIT_CODES.interrupted.code);
  });
  try {
    terminal.print(
      `Signalbox ${VERSION}: real agent programs on real input, without a model and without a key.`,
    );
    const config = await configFor(join(directory, 'data'));
    const isAllWell = await play({ terminal, config, logger, end });
    if (!isAllWell && !keep) terminal.note('Not all was well. With --keep, its data and its log file stay.');
    terminal.exitCode = isAllWell ? EXIT_CODES.ok.code : EXIT_CODES.failure.code;
  } catch (error) {
    const { aborted, reason } = end.signal;
    if (!aborted || reason instanceof SignalboxError) throw reason ?? error;
    terminal.note('Interrupted: whatever the demo had started is stopped.');
    terminal.exitCode = EXIT_CODES.interrupted.code;
  } finally {
    interruptions.close();
    closeSync(logFile);
    if (keep) terminal.print(`\nKept: ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}
