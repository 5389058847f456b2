import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SelfWatch } from '../../../src/daemon/self-watch.ts';
import { until } from '../../support/until.ts';

const LIMITS = { checkMs: 20, maxCheckMs: 300, maxDelayMs: 300, reportMs: 500 };
/** As many as block all file operations of this process. */
const THREADS = Number(process.env.UV_THREADPOOL_SIZE ?? 4);

let base: string;
let directory: string;
let lines: string[];
let watch: SelfWatch;

const errors = (): string[] => lines.filter((line) => JSON.parse(line).level === 50);
const says = (pattern: RegExp): Promise<void> =>
  until(() => pattern.test(watch.obstacle ?? 'nothing'), String(pattern));

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'signalbox-watch-'));
  directory = join(base, 'data');
  mkdirSync(directory);
  writeFileSync(join(directory, 'secret'), 's');
  lines = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  watch = await SelfWatch.start(directory, logger, LIMITS);
  expect(watch.obstacle).toBeNull();
});
afterEach(() => {
  watch.stop();
  rmSync(base, { recursive: true, force: true });
});

describe('the watch over what Signalbox itself depends on', () => {
  it('finds that the data directory is gone, logs it once, and that it is back', async () => {
    renameSync(directory, `${directory}.aside`);
    await says(/^the data directory .* is gone or damaged \(ENOENT.*restore it, or stop Signalbox/);
    await until(() => errors().length > 0, 'it is logged');
    renameSync(`${directory}.aside`, directory);
    await says(/^nothing$/);
    await until(() => lines.length === 2, 'the end is logged');
    expect(errors()).toHaveLength(1);
    expect(lines[1]).toContain('usable again');
  });

  it('finds that the data directory is another one', async () => {
    renameSync(directory, `${directory}.aside`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'secret'), 's');
    await says(/^the data directory .* was replaced while Signalbox was running/);
  });

  it('finds that the event loop stood still, and reports it for a while', async () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    await says(/^the process stood still for 1 s: the machine is overloaded, or something blocks it$/);
    await says(/^nothing$/);
  });

  it('finds that all threads which read files are blocked', async () => {
    const fifos = Array.from({ length: THREADS }, (_, index) => join(base, `fifo-${index}`));
    execFileSync('mkfifo', fifos);
    const blocked = fifos.map((fifo) => open(fifo, 'r'));
    await says(
      /^reading the data directory .* has taken \d+ s so far: .* all threads that read files are blocked$/,
    );
    const ends = fifos.map((fifo) => openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK));
    for (const handle of await Promise.all(blocked)) await handle.close();
    for (const end of ends) closeSync(end);
    await says(/^nothing$/);
  });
});
