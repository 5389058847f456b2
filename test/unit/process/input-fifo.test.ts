import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FifoLimits, InputFifo } from '../../../src/process/channel/input-fifo.ts';
import { until } from '../../integration/process/process-harness.ts';

const PIPE_BYTES = 65_536;

let directory: string;
let open: InputFifo[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-fifo-'));
  execFileSync('mkfifo', [join(directory, 'in')]);
  writeFileSync(join(directory, 'fed'), '');
});

afterEach(() => {
  for (const fifo of open) fifo.close();
  open = [];
  rmSync(directory, { recursive: true, force: true });
});

function fifo(limits: Partial<FifoLimits> = {}): InputFifo {
  const made = new InputFifo(directory, { queueBytes: 1_000_000, waitMs: 20_000, ...limits });
  open.push(made);
  return made;
}

/** A process that reads the FIFO to its end. It is open before this returns, as a writer has it open: a later one might be too late. */
function reader(): { text: () => string; ended: Promise<unknown> } {
  const input = openSync(join(directory, 'in'), 'r');
  const child = spawn('cat', [], { stdio: [input, 'pipe', 'inherit'] });
  closeSync(input);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return { text: () => text, ended: once(child, 'exit') };
}

describe('messages into a FIFO', () => {
  it('arrive in order, also one that is larger than a pipe', async () => {
    const input = fifo();
    const { text, ended } = reader();
    const long = 'é'.repeat(5 * PIPE_BYTES);
    const sendings = [input.send('a', 'one'), input.send('b', long), input.send('c', 'three')];
    expect(await Promise.all(sendings)).toEqual(['sent', 'sent', 'sent']);
    input.close();
    await ended;
    expect(text()).toBe(`one\n${long}\nthree\n`);
  });

  it('are sent once for each key, also by the next writer', async () => {
    const first = fifo();
    const { text, ended } = reader();
    expect(await Promise.all([first.send('k', 'x'), first.send('k', 'x')])).toEqual(['sent', 'known']);
    const second = fifo();
    expect(await second.send('k', 'x')).toBe('known');
    expect(await second.wasSent('k')).toBe(true);
    second.note('acknowledged');
    expect(await second.send('acknowledged', 'y')).toBe('known');
    expect(await second.send('a key with blanks', 'y')).toBe('refused');
    first.close();
    second.close();
    await ended;
    expect(text()).toBe('x\n');
  });

  it('are refused when there were too many, also by the next writer, and what was sent stays known', async () => {
    const input = fifo({ messages: 3 });
    const { ended } = reader();
    expect([await input.send('a', '1'), await input.send('b', '2')]).toEqual(['sent', 'sent']);
    for (let index = 0; index < 1_000; index++) input.note(`made-up-${index}`);
    expect(await input.send('made-up-0', 'x')).toBe('known');
    expect(await input.send('made-up-1', 'x')).toBe('refused');
    const next = fifo({ messages: 2 });
    expect(await next.send('a', '1')).toBe('known');
    expect(await next.send('c', '3')).toBe('refused');
    input.close();
    next.close();
    await ended;
  });

  it('wait until the first input is there, and do not get into the middle of it', async () => {
    rmSync(join(directory, 'fed'));
    const input = fifo();
    const { text, ended } = reader();
    const sending = input.send('a', 'second');
    const feeder = '{ printf fir; sleep 0.2; echo st; } >in; : >fed';
    spawn('sh', ['-c', feeder], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await sending).toBe('sent');
    input.close();
    await ended;
    expect(text()).toBe('first\nsecond\n');
  });
});

describe('a process that never reads', () => {
  it('takes what fits into the pipe; the rest is bounded and refused at its deadline', async () => {
    const input = fifo({ waitMs: 200, queueBytes: 100_000 });
    const line = 'x'.repeat(4_000);
    const sendings = await Promise.all(
      Array.from({ length: 40 }, (_, index) => input.send(`${index}`, line)),
    );
    expect(sendings.filter((each) => each === 'sent')).toHaveLength(16);
    expect(await input.send('late', line)).toBe('refused');
    expect(await input.send('too large', 'x'.repeat(150_000))).toBe('refused');
  });

  it('that stops in the middle of a line gets nothing more', async () => {
    const input = fifo({ waitMs: 200 });
    expect(await input.send('a', 'x'.repeat(2 * PIPE_BYTES))).toBe('refused');
    expect(await input.send('b', 'y')).toBe('refused');
    expect(input.failure).toMatch(/middle of a line/);
    const next = fifo();
    const { text, ended } = reader();
    expect(await next.send('b', 'y')).toBe('sent');
    input.close();
    next.close();
    await ended;
    expect(text()).toBe(`${'x'.repeat(PIPE_BYTES)}\ny\n`);
  });
});

describe('a FIFO that was replaced', () => {
  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, '')],
    ['a directory', (path) => mkdirSync(path)],
    ['a link to a file', (path) => symlinkSync(join(directory, 'secret'), path)],
    ['nothing', () => {}],
  ])('by %s is not written to', async (_what, replace) => {
    writeFileSync(join(directory, 'secret'), 'secret');
    rmSync(join(directory, 'in'));
    replace(join(directory, 'in'));
    const input = fifo();
    expect(await input.send('a', 'x')).toBe('refused');
    expect(readFileSync(join(directory, 'secret'), 'utf8')).toBe('secret');
  });

  it('by another one that is not read only fills that one', async () => {
    rmSync(join(directory, 'in'));
    execFileSync('mkfifo', [join(directory, 'in')]);
    const input = fifo({ waitMs: 100 });
    expect(await input.send('a', 'x')).toBe('sent');
    expect(await input.send('b', 'x'.repeat(PIPE_BYTES))).toBe('refused');
  });

  it('does not block on its record of what was sent', async () => {
    execFileSync('mkfifo', [join(directory, 'sent')]);
    const input = fifo();
    await until('it has failed', () => input.failure !== undefined);
    expect(await input.send('a', 'x')).toBe('refused');
  });
});
