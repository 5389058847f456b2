/** The verification of a log by the Signalbox that writes it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../../src/base/environment.ts';
import { LogCheck, type LogCheckOptions } from '../../../src/features/audit/audit.ts';
import type { LogReader, StoredMessage } from '../../../src/journal/journal.ts';
import { chainHashOf } from '../../../src/journal/redactions.ts';
import { silentLogger } from '../../support/engine.ts';
import { Lived } from '../../support/history/lived-history.ts';
import { type Step, step } from '../../support/history/random-history.ts';
import { readerOf, type SignedLog, signedLog } from '../../support/history/signed-log.ts';
import { until } from '../../support/until.ts';

type Log = LogCheckOptions['app']['log']['messages'];

describe('verification by the running Signalbox', () => {
  let made: SignedLog;
  let directory: string;

  beforeAll(async () => {
    made = await signedLog();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-check-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const messages = (): StoredMessage[] => made.log.messages.slice();

  /** A reader of these messages, with some methods replaced. */
  function readOf(
    stored: readonly StoredMessage[],
    parts: Partial<Pick<LogReader, 'readPresent'>> = {},
  ): Log {
    const reader = readerOf(stored);
    return { ...stub, read: reader.read.bind(reader), ...present(reader), ...parts };
  }
  const stub = { erase: () => Promise.reject(new Error('nothing is erased here')) };
  const present = (reader: LogReader) => ({
    readPresent: (range: Parameters<LogReader['readPresent']>[0]) => reader.readPresent(range),
    readByFilter: (filter: string) => reader.readByFilter(filter),
  });

  function checkOf(log: Log, known: readonly StoredMessage[] = messages()): LogCheck {
    const end = known.at(-1);
    if (!end) throw new Error('the log is empty');
    const last = { tip: { sequence: end.sequence, id: end.id }, hash: chainHashOf(end) };
    const app = { log: { messages: log, last }, environment: systemEnvironment };
    return new LogCheck({ app, dataDirectory: directory, logger: silentLogger });
  }

  async function outcomeOf(check: LogCheck) {
    check.start('ann');
    expect(check.verification).toMatchObject({ state: 'running', by: 'ann', ended_at: null, finding: null });
    await until(() => check.verification?.state !== 'running', 'it has come to its end');
    return check.verification;
  }

  it('passes an unchanged log with an erased event', async () => {
    const check = checkOf(readOf(messages()));
    expect(check.verification).toBeNull();
    const last = made.log.tip().sequence;
    expect(await outcomeOf(check)).toMatchObject({
      state: 'passed',
      finding: null,
      checked: last,
      total: last,
    });
  });

  it('reports the first damaged event, and can be repeated', async () => {
    const place = 12;
    const edited = messages().map((each) =>
      each.sequence === place ? { ...each, bytes: Buffer.from('{}') } : each,
    );
    const stored = { messages: edited };
    const log = readOf(messages(), { readPresent: (range) => readerOf(stored.messages).readPresent(range) });
    const check = checkOf(log);
    expect(await outcomeOf(check)).toMatchObject({
      state: 'failed',
      finding: { sequence: place },
      checked: place,
    });
    stored.messages = messages();
    expect(await outcomeOf(check)).toMatchObject({ state: 'passed', finding: null });
  });

  it('audit/chain-verifies: detects a truncated log by the last event in memory, and by the notes of the data directory', async () => {
    const cut = messages().slice(0, -1);
    const end = cut.at(-1)?.sequence ?? 0;
    expect(await outcomeOf(checkOf(readOf(cut)))).toMatchObject({
      state: 'failed',
      finding: { sequence: end + 1, message: expect.stringContaining('the running Signalbox') },
    });
    const mark = { sequence: made.log.tip().sequence, id: made.log.tip().id };
    await writeFile(join(directory, 'high-water-mark.json'), JSON.stringify(mark));
    expect(await outcomeOf(checkOf(readOf(cut), cut))).toMatchObject({
      state: 'failed',
      finding: { sequence: end + 1, message: expect.stringContaining('high-water') },
    });
  });

  it('does not report events that are erased while it reads', async () => {
    let looks = 0;
    const reader = readerOf(messages());
    const log: Log = {
      ...readOf(messages()),
      // As if the redaction was committed after the redactions were read.
      readByFilter: (filter) => (++looks === 1 ? nothing() : reader.readByFilter(filter)),
    };
    expect(await outcomeOf(checkOf(log))).toMatchObject({ state: 'passed', finding: null });
    expect(looks).toBe(2);
  });

  it('reports the finding of the third pass, if each pass has another one', async () => {
    let looks = 0;
    const log = readOf(messages(), {
      readPresent: (range) => {
        looks++;
        const gone = 6 + looks;
        return readerOf(messages().filter(({ sequence }) => sequence !== gone)).readPresent(range);
      },
    });
    expect(await outcomeOf(checkOf(log))).toMatchObject({ state: 'failed', finding: { sequence: 9 } });
    expect(looks).toBe(3);
  });

  it('runs one verification at a time, and lets other work run after each slice', async () => {
    const lived = longLog();
    let turns = 0;
    let isOver = false;
    const counting = (async () => {
      for (; !isOver; turns++) await nextTurn();
    })();
    let looks = 0;
    let slice = { turn: -1, length: 0 };
    let longest = 0;
    const log = readOf(lived, {
      async *readPresent(range) {
        looks++;
        for await (const message of readerOf(lived).readPresent(range)) {
          slice = { turn: turns, length: slice.turn === turns ? slice.length + 1 : 1 };
          longest = Math.max(longest, slice.length);
          yield message;
        }
      },
    });
    const check = checkOf(log, lived);
    check.start('ann');
    check.start('bob');
    await until(() => check.verification?.state !== 'running', 'it has come to its end');
    isOver = true;
    await counting;
    expect(check.verification).toMatchObject({ state: 'passed', by: 'ann', checked: lived.length });
    expect(looks).toBe(1);
    expect(longest).toBeLessThanOrEqual(51);
  });

  it('reports why the log cannot be read', async () => {
    const log = readOf(messages(), {
      // biome-ignore lint/correctness/useYield: it fails before its first message.
      async *readPresent() {
        throw new Error('the connection closed');
      },
    });
    expect(await outcomeOf(checkOf(log))).toMatchObject({
      state: 'failed',
      finding: { sequence: null, message: expect.stringContaining('the connection closed') },
    });
  });

  it('is aborted by a stop, and does not start again', async () => {
    const lived = longLog();
    let closing: Promise<void> | undefined;
    let isLetGo = false;
    const log = readOf(lived, {
      async *readPresent(range) {
        try {
          for await (const message of readerOf(lived).readPresent(range)) {
            if (message.sequence === 120) closing = check.close();
            yield message;
          }
        } finally {
          isLetGo = true;
        }
      },
    });
    const check = checkOf(log, lived);
    check.start('ann');
    await until(() => closing !== undefined, 'it is stopped in the middle');
    await closing;
    expect(isLetGo).toBe(true);
    check.start('bob');
    expect(check.verification).toMatchObject({ state: 'running', by: 'ann', ended_at: null });
    expect(check.verification?.checked).toBeLessThan(200);
  });
});

async function* nothing(): AsyncIterable<StoredMessage> {}

/** Some hundred events without redactions. */
function longLog(): readonly StoredMessage[] {
  const isKept = ({ type }: Step): boolean => type !== 'task.redacted';
  const steps = fc.array(step.filter(isKept), { minLength: 2_000, maxLength: 2_000 });
  const [some = []] = fc.sample(steps, { numRuns: 1, seed: 1 });
  const { messages } = new Lived(some);
  expect(messages.length).toBeGreaterThan(500);
  return messages;
}
