import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutputFile } from '../../../src/process/files/output-files.ts';
import { tailOf } from '../../../src/process/files/tail.ts';

const silent = pino({ level: 'silent' });

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-output-'));
  file = join(directory, 'stdout.log');
});

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

afterEach(() => rmSync(directory, { recursive: true }));

describe('tailOf', () => {
  it('returns all of a short file, and an empty text for a missing one', async () => {
    writeFileSync(file, 'short 中文\n');
    expect(await tailOf(file, 1000)).toBe('short 中文\n');
    expect(await tailOf(join(directory, 'missing'), 1000)).toBe('');
  });

  it('cuts between characters', async () => {
    const text = 'aé中😀b';
    writeFileSync(file, text);
    for (let bytes = 0; bytes <= Buffer.byteLength(text); bytes += 1) {
      const tail = await tailOf(file, bytes);
      expect(text.endsWith(tail)).toBe(true);
      expect(Buffer.byteLength(tail)).toBeGreaterThan(bytes - 4);
    }
  });

  it('leaves out a character that is not completely written yet', async () => {
    writeFileSync(file, Buffer.from('ok中').subarray(0, 4));
    expect(await tailOf(file, 100)).toBe('ok');
  });

  it('shows bytes that are not UTF-8 as U+FFFD', async () => {
    writeFileSync(file, Buffer.from([0x61, 0xff, 0x62, 0x80, 0x80, 0x80, 0x80, 0x63]));
    expect(await tailOf(file, 100)).toBe('a\ufffdb\ufffd\ufffd\ufffd\ufffdc');
    expect(await tailOf(file, 5)).toBe('\ufffdc');
  });

  it('continues in the rotated part if the file alone is too short', async () => {
    writeFileSync(`${file}.1`, 'older ');
    writeFileSync(file, 'newer');
    expect(await tailOf(file, 8)).toBe('er newer');
    expect(await tailOf(file, 3)).toBe('wer');
  });
});

describe('OutputFile', () => {
  it('counts bytes across rotations and keeps the newest', async () => {
    const output = new OutputFile(file, 10, silent);
    await output.poll();
    expect(output).toMatchObject({ bytes: 0, lastOutputAt: undefined });
    writeFileSync(file, '0123456789');
    await output.poll();
    expect(existsSync(`${file}.1`)).toBe(false);
    appendFileSync(file, 'abcdef');
    await output.poll();
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('6789abcdef');
    expect(readFileSync(file, 'utf8')).toBe('');
    appendFileSync(file, 'ghi');
    await output.close();
    expect(output.bytes).toBe(19);
    expect(output.lastOutputAt).toBeGreaterThan(0);
    expect(await tailOf(file, 5)).toBe('efghi');
  });

  it('loses nothing that is written in bursts while the file is copied', async () => {
    const output = new OutputFile(file, 2_000_000, silent);
    let written = 0;
    const write = (lines: number): void => {
      const text = Array.from({ length: lines }, () => `${String(written++).padStart(999, '.')}\n`);
      appendFileSync(file, text.join(''));
    };
    for (let round = 0; round < 15; round++) {
      write(2_500);
      let isLooking = true;
      const looked = output.poll().then(() => {
        isLooking = false;
      });
      // The copy is through: the burst comes before that is noticed, before the file is emptied, or after that.
      while (isLooking && sizeOf(`${file}.copy`) < 2_000_000) await setImmediate();
      for (let turn = 0; isLooking && turn < round; turn++) await setImmediate();
      write(1_600);
      await looked;
      const kept = (await tailOf(file, 100_000_000)).split('\n').slice(1, -1);
      const first = written - kept.length;
      expect(
        kept.map((line) => Number(line.replaceAll('.', ''))),
        `round ${round}`,
      ).toEqual(kept.map((_, index) => first + index));
    }
  });

  it('cuts the file itself at the end', async () => {
    const output = new OutputFile(file, 10, silent);
    writeFileSync(file, '0123456789abcdef');
    await output.close();
    expect(readFileSync(file, 'utf8')).toBe('6789abcdef');
    expect(output.bytes).toBe(16);
  });

  it('keeps the cap even if a copy cannot be written', async () => {
    const output = new OutputFile(file, 10, silent);
    mkdirSync(`${file}.copy`);
    writeFileSync(file, '0123456789abcdef');
    await output.poll();
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});
