import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  hasLineEnd,
  linesFrom,
  MAX_LINE_BYTES,
  placeBefore,
  type RecordedLine,
} from '../../../src/process/files/recorded-lines.ts';
import { RecordedOutput } from '../../../src/process/files/recorded-output.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-recorded-'));
  path = join(directory, 'stdout.log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function opened<Result>(work: (output: RecordedOutput) => Promise<Result>): Promise<Result> {
  const output = await RecordedOutput.open(path);
  return work(output).finally(() => output.close());
}

async function read(
  from: number,
  range: { before?: number; isOver?: boolean } = {},
): Promise<RecordedLine[]> {
  return opened(async (output) => {
    const lines: RecordedLine[] = [];
    for await (const line of linesFrom(output, { from, isOver: true, ...range })) lines.push(line);
    return lines;
  });
}

const textOf = (line: RecordedLine): string =>
  line.kind === 'gap' ? `gap ${line.missing}` : line.bytes.toString();

/** What is left of an output, as the launcher leaves it: its first bytes, and two files. */
function rotated(text: string, { head, older, newer }: { head: number; older: number; newer: number }): void {
  const all = Buffer.from(text);
  writeFileSync(`${path}.head`, all.subarray(0, head));
  writeFileSync(`${path}.1`, all.subarray(all.length - newer - older, all.length - newer));
  writeFileSync(path, all.subarray(all.length - newer));
  writeFileSync(`${path}.rotated`, `${all.length - newer}\n`);
}

describe('the lines of a recorded output', () => {
  it('are none without a file, and the last one has an end only if the output is complete', async () => {
    expect(await read(0)).toEqual([]);
    writeFileSync(path, 'one\n\ntwo');
    expect((await read(0)).map(textOf)).toEqual(['one', '', 'two']);
    expect((await read(0, { isOver: false })).map(textOf)).toEqual(['one', '']);
    expect((await read(2)).map(textOf)).toEqual(['', 'two']);
    expect((await read(4, { before: 5 })).map(textOf)).toEqual(['']);
    expect((await read(8)).map(textOf)).toEqual([]);
  });

  it('keep their places when the output is moved to other files, and what is missing is said once', async () => {
    rotated('aaaa\nbbbb\ncccc\ndddd\neeee\n', { head: 7, older: 7, newer: 7 });
    const lines = await read(0);
    expect(lines.map(textOf)).toEqual(['aaaa', 'gap 4', 'dddd', 'eeee']);
    expect(lines.map(({ from, to }) => [from, to])).toEqual([
      [0, 5],
      [11, 15],
      [15, 20],
      [20, 25],
    ]);
    for (const place of [5, 8, 11]) {
      expect((await read(place)).map(textOf)).toEqual(['gap 4', 'dddd', 'eeee']);
    }
    expect((await read(12)).map(textOf)).toEqual(['dddd', 'eeee']);
    expect((await read(15)).map(textOf)).toEqual(['dddd', 'eeee']);
  });

  it('have no gap if the beginning and the older file overlap', async () => {
    rotated('aaaa\nbbbb\ncccc\n', { head: 9, older: 8, newer: 5 });
    expect((await read(0)).map(textOf)).toEqual(['aaaa', 'bbbb', 'cccc']);
  });

  it('are cut if they are too long, and the next one is found', async () => {
    writeFileSync(path, `${'x'.repeat(MAX_LINE_BYTES + 1)}\nnext\n`);
    const [long, next] = await read(0);
    expect(long).toMatchObject({ kind: 'line', isWhole: false, to: MAX_LINE_BYTES + 2 });
    expect(long?.kind === 'line' && long.bytes.length).toBeLessThan(100_000);
    expect(next && textOf(next)).toBe('next');
    expect(await opened((output) => hasLineEnd(output, 5))).toBe(true);
    expect(await opened((output) => hasLineEnd(output, output.end))).toBe(false);
  });

  it('are read from no other place than the directory that was asked for', async () => {
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'stdout.log'), 'secret\n');
    const inside = join(directory, 'inside');
    mkdirSync(inside);
    symlinkSync(elsewhere, join(inside, 'process'));
    const output = await RecordedOutput.open(join(inside, 'process', 'stdout.log'), inside);
    expect(output.end).toBe(0);
    symlinkSync(join(elsewhere, 'stdout.log'), path);
    expect(await read(0)).toEqual([]);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(await read(0)).toEqual([]);
  });

  it('end where a file was cut meanwhile', async () => {
    writeFileSync(path, 'one\ntwo\n'.repeat(100));
    const lines = await opened(async (output) => {
      truncateSync(path, 10);
      const found: string[] = [];
      for await (const line of linesFrom(output, { from: 0, isOver: true })) found.push(textOf(line));
      return found;
    });
    expect(lines).toEqual(['one', 'two']);
  });

  it('are the same forwards and backwards, in parts of any size, with any rotation', async () => {
    const kept = fc.nat({ max: 80 });
    const text = fc.array(fc.constantFrom('', 'a', 'bb', 'ccccccc', 'ä'), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        text,
        kept,
        kept,
        kept,
        fc.integer({ min: 1, max: 9 }),
        async (lines, head, older, newer, count) => {
          const all = `${lines.join('\n')}\n`;
          const bytes = Buffer.byteLength(all);
          const sizes = {
            newer: Math.min(newer, bytes),
            older: Math.min(older, bytes),
            head: Math.min(head, bytes),
          };
          if (sizes.newer + sizes.older > bytes) sizes.older = bytes - sizes.newer;
          rotated(all, sizes);
          const whole = await read(0);
          const places = whole.map(({ from, to }) => `${from}-${to}`);
          const forwards: string[] = [];
          for (let from = 0; ; ) {
            const part = (await read(from)).slice(0, count);
            forwards.push(...part.map((line) => `${line.from}-${line.to}`));
            const last = part.at(-1);
            if (!last) break;
            from = last.to;
          }
          expect(forwards).toEqual(places);
          let backwards: string[] = [];
          for (let before = bytes; before > 0; ) {
            const limits = { before, count, maxBytes: 1_000 };
            const from = await opened((output) => placeBefore(output, limits));
            expect(from).toBeLessThan(before);
            const part = (await read(from, { before })).map((line) => `${line.from}-${line.to}`);
            backwards = [...part, ...backwards];
            before = from;
          }
          expect(backwards).toEqual(places);
        },
      ),
      { numRuns: 60 },
    );
  });
});
