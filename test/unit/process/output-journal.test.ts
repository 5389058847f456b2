import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OutputJournal } from '../../../src/process/channel/output-journal.ts';

let directory: string;
let file: string;
let seen: string;
let journal: OutputJournal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-journal-'));
  file = join(directory, 'stdout.log');
  seen = '';
  journal = new OutputJournal(file, {
    receive: (piece) => {
      seen += piece.toString();
    },
    caughtUp: () => {},
  });
});

afterEach(async () => {
  await journal.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the output of a process', () => {
  it('is read on in the next file when a full one is moved away, also in the middle of a line', async () => {
    writeFileSync(file, 'one\ntw');
    await journal.read();
    appendFileSync(file, 'o\nthr');
    writeFileSync(`${file}.head`, 'one\n');
    renameSync(file, `${file}.1`);
    await journal.read();
    writeFileSync(file, 'ee\n');
    await journal.read();
    expect(seen).toBe('one\ntwo\nthree\n');
  });

  it('is read from what is left if files were moved away more than once', async () => {
    writeFileSync(file, 'one\n');
    await journal.read();
    renameSync(file, join(directory, 'deleted'));
    writeFileSync(`${file}.1`, 'three\n');
    writeFileSync(file, 'four\n');
    await journal.read();
    expect(seen).toBe('one\n\nthree\nfour\n');
  });

  it.each([
    ['is the very next one', 10, 'one\ntwo\nthree\n'],
    ['is a later one', 99, 'one\ntw\no\nthree\n'],
  ])('goes on in the middle of a line in a file that was not seen, if it %s', async (_, rotated, text) => {
    writeFileSync(file, 'one\ntw');
    await journal.read();
    renameSync(file, join(directory, 'deleted'));
    writeFileSync(`${file}.1`, 'o\nth');
    writeFileSync(`${file}.rotated`, `${rotated}\n`);
    writeFileSync(file, 'ree\n');
    await journal.read();
    expect(seen).toBe(text);
  });

  it('goes on in a new line if the file before is not there', async () => {
    writeFileSync(file, 'one\ntw');
    await journal.read();
    renameSync(file, join(directory, 'deleted'));
    writeFileSync(`${file}.rotated`, '10\n');
    writeFileSync(file, 'three\n');
    await journal.read();
    expect(seen).toBe('one\ntw\nthree\n');
  });

  it('goes on in the same line after the file was emptied and moved away', async () => {
    writeFileSync(file, 'one\n');
    await journal.read();
    writeFileSync(file, '');
    journal.wasCut();
    writeFileSync(file, 'tw');
    await journal.read();
    renameSync(file, `${file}.1`);
    writeFileSync(`${file}.rotated`, '6\n');
    writeFileSync(file, 'o\n');
    await journal.read();
    expect(seen).toBe('one\ntwo\n');
  });

  it('is read from its beginning after a restart', async () => {
    writeFileSync(`${file}.head`, 'one\nt');
    writeFileSync(`${file}.1`, 'four\nfi');
    writeFileSync(file, 've\n');
    await journal.read();
    expect(seen).toBe('one\nt\nfour\nfive\n');
  });

  it('is read before the file is emptied', async () => {
    writeFileSync(file, 'one\n');
    await journal.read();
    appendFileSync(file, 'two\n');
    journal.catchUp();
    writeFileSync(file, '');
    journal.wasCut();
    appendFileSync(file, 'three\n');
    await journal.read();
    expect(seen).toBe('one\ntwo\nthree\n');
  });
});
