import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HighWaterMark } from '../../../src/journal/high-water-mark.ts';
import { entryOf } from '../../support/history/recording-journal.ts';
import { MemoryJournal, MemoryLog } from '../../support/memory-journal.ts';

const logger = pino({ level: 'silent' });
const QUICK_MS = 5;

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-mark-'));
  file = join(directory, 'mark.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function journalOf(...ids: string[]): MemoryJournal<never> {
  const log = new MemoryLog();
  for (const id of ids) log.store(entryOf(id));
  return new MemoryJournal(log, { onStored: () => {}, onState: () => {} });
}

async function markAt(sequence: number, id: string): Promise<HighWaterMark> {
  const mark = await HighWaterMark.open(file, logger);
  mark.advance({ sequence, id });
  await mark.close();
  return HighWaterMark.open(file, logger);
}

const saved = async (): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));

describe('the file of the high-water mark', () => {
  it('journal/high-water-mark: is written at close, with the newest mark, and read again', async () => {
    const mark = await HighWaterMark.open(file, logger);
    for (let sequence = 1; sequence <= 1_000; sequence++) mark.advance({ sequence, id: `e${sequence}` });
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await mark.close();
    expect(await saved()).toEqual({ sequence: 1_000, id: 'e1000' });
    const again = await HighWaterMark.open(file, logger);
    await expect(again.check(journalOf('e1'))).rejects.toMatchObject({ code: 'log_mismatch' });
    await again.close();
  });

  it('journal/high-water-mark: is written while the mark moves, at most once per interval', async () => {
    const mark = await HighWaterMark.open(file, logger, QUICK_MS);
    mark.advance({ sequence: 1, id: 'a' });
    await expect.poll(() => saved().catch(() => null)).toEqual({ sequence: 1, id: 'a' });
    mark.advance({ sequence: 2, id: 'b' });
    await expect.poll(saved).toEqual({ sequence: 2, id: 'b' });
    await mark.close();
  });

  it('journal/high-water-mark: never moves back', async () => {
    const mark = await markAt(10, 'ten');
    mark.advance({ sequence: 9, id: 'nine' });
    await mark.close();
    expect(await saved()).toEqual({ sequence: 10, id: 'ten' });
  });

  it('journal/high-water-mark: is replaced as a whole, is private, and leaves no other file', async () => {
    const mark = await markAt(10, 'ten');
    mark.advance({ sequence: 11, id: 'eleven' });
    await mark.close();
    expect(await readdir(directory)).toEqual(['mark.json']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('journal/high-water-mark: survives a write that a crash interrupted', async () => {
    const mark = await markAt(10, 'ten');
    await writeFile(`${file}.tmp`, '{"sequence":1');
    mark.advance({ sequence: 11, id: 'eleven' });
    await mark.close();
    expect(await saved()).toEqual({ sequence: 11, id: 'eleven' });
  });

  it('logs a failed write and tries again', async () => {
    const logged: string[] = [];
    const blocked = join(directory, 'missing', 'mark.json');
    const mark = await HighWaterMark.open(
      blocked,
      pino({}, { write: (line) => logged.push(line) }),
      QUICK_MS,
    );
    mark.advance({ sequence: 1, id: 'a' });
    await expect.poll(() => logged.length).toBeGreaterThan(0);
    expect(logged[0]).toContain(blocked);
    await mkdir(join(directory, 'missing'));
    await expect.poll(() => readFile(blocked, 'utf8').catch(() => '')).toContain('"a"');
    await mark.close();
  });

  it.each(['', '{', 'null', '{"sequence":0,"id":"a"}', '{"sequence":1}', '{"sequence":1,"id":"a","x":1}'])(
    'refuses a file that contains %j, and says what to do',
    async (content) => {
      await writeFile(file, content);
      await expect(HighWaterMark.open(file, logger)).rejects.toMatchObject({
        code: 'log_mismatch',
        message: expect.stringContaining(file),
      });
    },
  );

  it('refuses an unreadable file', async () => {
    await mkdir(file);
    await expect(HighWaterMark.open(file, logger)).rejects.toMatchObject({ code: 'log_mismatch' });
  });
});

describe('a log that is compared with the high-water mark', () => {
  it('journal/high-water-mark: accepts any log if there is no mark yet', async () => {
    const mark = await HighWaterMark.open(file, logger);
    await mark.check(journalOf());
    await mark.check(journalOf('a', 'b'));
    await mark.close();
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  it.each([
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'd', 'e'],
  ])(
    'journal/high-water-mark: accepts a log with the marked event at its place, at its end or not',
    async (...ids) => {
      await (await markAt(3, 'c')).check(journalOf(...ids));
    },
  );

  it('journal/high-water-mark: refuses a shorter log', async () => {
    const check = (await markAt(3, 'c')).check(journalOf('a', 'b'));
    await expect(check).rejects.toMatchObject({
      code: 'log_mismatch',
      message: expect.stringMatching(
        /ends at event 2, but this data directory has seen event 3 with the id c/,
      ),
      details: { expected: { sequence: 3, id: 'c' }, end: 2, file },
    });
  });

  it('journal/high-water-mark: refuses an empty log', async () => {
    await expect((await markAt(3, 'c')).check(journalOf())).rejects.toMatchObject({
      code: 'log_mismatch',
      details: { end: 0 },
    });
  });

  it('journal/high-water-mark: refuses a log with another event at that place, with what it may mean and what to do', async () => {
    const error = await (await markAt(3, 'c')).check(journalOf('a', 'b', 'x', 'd')).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'log_mismatch', details: { id: 'x' } });
    for (const part of ['the id x', 'the id c', 'older backup', 'another NATS server', `delete ${file}`]) {
      expect(error.message).toContain(part);
    }
  });

  it('journal/high-water-mark: accepts the log again if the mark was deleted on purpose', async () => {
    await markAt(3, 'c');
    await rm(file);
    const mark = await HighWaterMark.open(file, logger);
    await mark.check(journalOf('a'));
    await mark.close();
  });
});
