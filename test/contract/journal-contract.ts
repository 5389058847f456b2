/** The promises J1 to J6 of src/journal/journal.ts, asked of every journal in the same words. */
import { describe, expect, it } from 'vitest';
import type { JournalEntry, StoredMessage, Tip } from '../../src/journal/journal.ts';
import { entryOf, type RecordingJournal } from '../support/recording-journal.ts';

/** An empty log of its own, and what can happen to it from outside. */
export interface LogUnderTest extends AsyncDisposable {
  /** Opens one more journal on the log; it is closed with the log. */
  open(): Promise<RecordingJournal>;
  /** The same, with a gate in its way to the log: what it sends while the gate is shut arrives when it opens. */
  openBehindGate(): Promise<{ readonly writer: RecordingJournal; readonly gate: Gate }>;
  /** The whole log, read by other means than a journal's. */
  messages(): Promise<StoredMessage[]>;
  idAt(sequence: number): Promise<string | undefined>;
  /** Makes the log unreachable, without warning. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Stores a message as somebody who knows nothing of writers and chains. */
  intrude(entry: JournalEntry): Promise<void>;
  remove(sequence: number): Promise<void>;
  /** Another log in the place of this one. */
  replaceWith(entries: readonly JournalEntry[]): Promise<void>;
}

export interface Gate {
  shut(): void;
  open(): void;
}

const NOTHING: Tip = { sequence: 0, id: '' };

export function describeJournal(name: string, freshLog: () => Promise<LogUnderTest>): void {
  describe(`the promises of the ${name} journal`, () => {
    describeOrder(freshLog);
    describeOneWriter(freshLog);
    describeNothingGivenUp(freshLog);
    describeOtherLogs(freshLog);
    describeTheEnd(freshLog);
    describeReading(freshLog);
  });
}

/** A journal that is the writer of an otherwise empty log, by the entry `epoch`. */
async function writerOf(log: LogUnderTest): Promise<RecordingJournal> {
  const writer = await log.open();
  await writer.takeOver('epoch');
  return writer;
}

async function idsIn(log: LogUnderTest): Promise<string[]> {
  return (await log.messages()).map(({ id }) => id);
}

function describeOrder(freshLog: () => Promise<LogUnderTest>): void {
  it('J1: stores 5,000 pipelined entries in order without a gap, and reports each once, after it is stored', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    const looks: Promise<[expected: string, found: string | undefined]>[] = [];
    writer.onReport = ({ sequence, id }) => {
      if (sequence % 250 === 0) looks.push(log.idAt(sequence).then((found) => [id, found]));
    };
    writer.append('e', 5_000);
    expect(writer.journal.backlog).toBe(5_000);
    await writer.allReported();

    const stored = await log.messages();
    expect(stored.map(({ id }) => id)).toEqual(['epoch', ...writer.appended]);
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(writer.reports).toEqual(stored.slice(1).map(({ sequence, id }) => ({ sequence, id })));
    expect(writer.journal.backlog).toBe(0);
    for (const [expected, found] of await Promise.all(looks)) expect(found).toBe(expected);
    expect(looks).toHaveLength(20);
  });

  it('J1: keeps subject and bytes exactly', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    const entry = entryOf('odd', '{"text":"quotes \\" and 中文 \u0000 \r\n"}');
    writer.journal.append(entry);
    await writer.when(() => writer.reports.length === 1);
    const [, stored] = await log.messages();
    expect(stored).toMatchObject({ sequence: 2, id: 'odd', subject: entry.subject });
    expect(Buffer.from(stored?.bytes ?? []).equals(entry.bytes)).toBe(true);
  });

  it('J1: stores what a report leads to after all that was appended before', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ id }) => {
      if (id.startsWith('cause')) writer.append('effect');
    };
    writer.append('cause', 300);
    await writer.when(() => writer.reports.length === 600);
    expect(writer.reportedIds).toEqual(writer.appended);
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
  });
}

function describeOneWriter(freshLog: () => Promise<LogUnderTest>): void {
  it('J2: takes over only at the tip that was named, by sequence and by id, and does not report that entry', async () => {
    await using log = await freshLog();
    const first = await log.open();
    expect(await first.journal.tip()).toEqual(NOTHING);
    expect(await first.journal.takeOver(NOTHING, entryOf('one'))).toEqual({ ok: true });
    const second = await log.open();
    const tip = { sequence: 1, id: 'one' };
    expect(await second.journal.takeOver(NOTHING, entryOf('two'))).toEqual({ ok: false, tip });
    const sameLength = { sequence: 1, id: 'other' };
    expect(await second.journal.takeOver(sameLength, entryOf('two'))).toEqual({ ok: false, tip });
    expect(second.journal.state.kind).toBe('reader');
    expect(await second.journal.takeOver(tip, entryOf('two'))).toEqual({ ok: true });
    expect(second.journal.state.kind).toBe('open');
    expect(await idsIn(log)).toEqual(['one', 'two']);
    expect([...first.reports, ...second.reports]).toEqual([]);
  });

  it('J2: lets one of ten win that take over the same tip at once', async () => {
    await using log = await freshLog();
    const writers = await Promise.all(Array.from({ length: 10 }, () => log.open()));
    const results = await Promise.all(
      writers.map((writer, index) => writer.journal.takeOver(NOTHING, entryOf(`w${index}`))),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await idsIn(log)).toEqual([`w${results.findIndex(({ ok }) => ok)}`]);
  });

  it('J2: fences the earlier writer at its next append, and stores nothing of it', async () => {
    await using log = await freshLog();
    const old = await writerOf(log);
    const next = await log.open();
    await next.takeOver('epoch-2');
    old.append('late', 1_000);
    const { error } = await old.state('fenced');
    expect(error).toMatchObject({ code: 'log_fenced' });
    old.append('later', 10);
    next.append('n', 10);
    await next.allReported();
    expect(await idsIn(log)).toEqual(['epoch', 'epoch-2', ...next.appended]);
    expect(old.reports).toEqual([]);
    expect(old.journal.backlog).toBe(0);
    expect(old.states.filter(({ kind }) => kind === 'fenced')).toHaveLength(1);
  });

  it('J2: stores nothing of what the earlier writer has in flight at the take-over: 1,000 entries', async () => {
    await using log = await freshLog();
    const { writer: old, gate } = await log.openBehindGate();
    await old.takeOver('epoch');
    old.append('o', 100);
    await old.allReported();
    gate.shut();
    old.append('late', 1_000);
    const next = await log.open();
    await next.takeOver('epoch-2');
    next.append('n', 500);
    await next.allReported();
    gate.open();
    const { error } = await old.state('fenced');
    next.append('n', 500);
    await next.allReported();

    expect(error).toMatchObject({ code: 'log_fenced' });
    expect(await idsIn(log)).toEqual(['epoch', ...old.appended.slice(0, 100), 'epoch-2', ...next.appended]);
    expect(old.reports).toHaveLength(100);
  });

  it('J2: stores nothing after a foreign message, though that takes the number that the next entry expects', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    let intrusion: Promise<void> | undefined;
    writer.onReport = ({ sequence }) => {
      writer.append('e');
      if (sequence === 1_500) intrusion = log.intrude(entryOf('intruder'));
    };
    writer.append('e', 1_000);
    const { error } = await writer.state('fenced');
    await intrusion;
    const stored = await idsIn(log);
    expect(stored.at(-1)).toBe('intruder');
    expect(stored.slice(1, -1)).toEqual(writer.appended.slice(0, stored.length - 2));
    expect(error).toMatchObject({ code: 'log_fenced' });
    expect(error.message).toMatch(/written|wrote|another/);
  });
}

function describeNothingGivenUp(freshLog: () => Promise<LogUnderTest>): void {
  it('J3: stores once and in order what was in flight or appended while the log was cut off', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await log.cut();
    writer.append('e', 500);
    await writer.state('resyncing');
    writer.append('e', 500);
    await log.restore();
    await writer.allReported();
    writer.append('e', 100);
    await writer.allReported();
    expect(writer.journal.state.kind).toBe('open');
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
    expect(writer.reportedIds).toEqual(writer.appended);
  });

  it('J3: goes on after a cut in which nothing was in flight', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    await log.cut();
    await log.restore();
    writer.append('e', 3);
    await writer.allReported();
    expect(await idsIn(log)).toEqual(['epoch', ...writer.appended]);
  });

  it('J2: is fenced when another took over while it was cut off', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 100);
    await writer.allReported();
    await log.cut();
    writer.append('e', 100);
    await log.restore();
    const next = await log.open();
    const epoch = await next.takeOver('epoch-2');
    writer.append('e', 100);
    await writer.state('fenced');
    const stored = await idsIn(log);
    expect(stored.indexOf('epoch-2')).toBe(epoch - 1);
    expect(stored).toHaveLength(epoch);
  });

  it('says that the log cannot be reached when it is asked for the tip, a message or the take-over', async () => {
    await using log = await freshLog();
    const { journal } = await log.open();
    await log.cut();
    const unavailable = expect.objectContaining({ code: 'nats_unavailable' });
    await expect(journal.tip()).rejects.toEqual(unavailable);
    await expect(journal.takeOver(NOTHING, entryOf('epoch'))).rejects.toEqual(unavailable);
    await expect(allOf(journal.read({ from: 1 }))).rejects.toEqual(unavailable);
    await log.restore();
    await expect.poll(() => journal.tip().catch(() => null)).toEqual(NOTHING);
  });
}

function describeOtherLogs(freshLog: () => Promise<LogUnderTest>): void {
  const foreign = (count: number): JournalEntry[] =>
    Array.from({ length: count }, (_, index) => entryOf(`foreign${index}`));

  it.each([
    ['is empty', foreign(0), /ends at 0, but 11 was acknowledged/],
    ['is shorter', foreign(10), /ends at 10, but 11 was acknowledged/],
    ['is shorter and ends with the same id', [...foreign(5), entryOf('e9')], /ends at 6, but 11/],
    ['has the same length', foreign(11), /11 has the id foreign10, acknowledged was e9/],
    ['is longer', foreign(12), /another/],
  ])('J4: never writes to another log that %s', async (_, other, reason) => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 10);
    await writer.allReported();
    await log.replaceWith(other);
    writer.append('e', 10);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'log_fenced', message: expect.stringMatching(reason) });
    expect(await idsIn(log)).toEqual(other.map(({ id }) => id));
  });
}

function describeTheEnd(freshLog: () => Promise<LogUnderTest>): void {
  it('J5: stops when a report cannot be followed, and says which', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ sequence }) => {
      if (sequence === 100) throw new Error('the fold broke');
    };
    writer.append('e', 500);
    const { error } = await writer.state('fenced');
    expect(error).toMatchObject({ code: 'internal', message: expect.stringContaining('the fold broke') });
    expect(error.details).toEqual({ sequence: 100, id: 'e98' });
    expect(writer.reports).toHaveLength(99);
    // The log is still read by the same connection.
    expect((await writer.journal.tip()).sequence).toBeGreaterThanOrEqual(100);
  });

  it('J6: reports nothing after close, with 1,000 in flight', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await writer.when(() => writer.reports.length > 0);
    await writer.journal.close();
    const reported = writer.reports.length;
    writer.append('late', 10);
    await writer.journal.close();
    const next = await log.open();
    await next.takeOver('epoch-2');

    const stored = await idsIn(log);
    expect(stored.slice(1, -1)).toEqual(writer.appended.slice(0, stored.length - 2));
    expect(stored.at(-1)).toBe('epoch-2');
    expect(writer.reports).toHaveLength(reported);
    expect(writer.journal).toMatchObject({ state: { kind: 'reader' }, backlog: 0 });
  });

  it('J6: reports nothing and is not fenced when it is closed within a report', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.onReport = ({ sequence }) => {
      if (sequence === 50) void writer.journal.close();
    };
    writer.append('e', 200);
    await writer.state('reader');
    const reader = await log.open();
    await reader.takeOver('epoch-2');
    expect(writer.reports).toHaveLength(49);
    expect(writer.states.map(({ kind }) => kind)).not.toContain('fenced');
  });

  it('J6: reports nothing and is not fenced when it is closed while it resyncs', async () => {
    await using log = await freshLog();
    const writer = await writerOf(log);
    writer.append('e', 1_000);
    await log.cut();
    writer.append('e');
    await writer.state('resyncing');
    const reported = writer.reports.length;
    await writer.journal.close();
    await log.restore();
    const next = await log.open();
    await next.takeOver('epoch-2');
    next.append('n', 10);
    await next.allReported();
    expect(writer.reports).toHaveLength(reported);
    expect(writer.journal.state.kind).toBe('reader');
  });
}

function describeReading(freshLog: () => Promise<LogUnderTest>): void {
  /** A log with the messages 1 (epoch) to 21 (e19). */
  async function twentyOne(log: LogUnderTest): Promise<RecordingJournal> {
    const writer = await writerOf(log);
    writer.append('e', 20);
    await writer.allReported();
    return writer;
  }

  it.each([
    [{ from: 1 }, 1, 21],
    [{ from: 5, to: 5 }, 5, 5],
    [{ from: 3, to: 7 }, 3, 7],
    [{ from: 20, to: 1_000 }, 20, 21],
    [{ from: 22 }, 1, 0],
    [{ from: 7, to: 6 }, 1, 0],
  ])('reads the range %o', async (range, first, last) => {
    await using log = await freshLog();
    await twentyOne(log);
    const { journal } = await log.open();
    const read = await allOf(journal.read(range));
    expect(read.map(readable)).toEqual((await log.messages()).slice(first - 1, last).map(readable));
  });

  it('reads an empty log', async () => {
    await using log = await freshLog();
    const { journal } = await log.open();
    expect(await allOf(journal.read({ from: 1 }))).toEqual([]);
    expect(await allOf(journal.readBySubject('signalbox.v1.evt.demo'))).toEqual([]);
  });

  it('reads up to the end at the time of the call while it goes on writing', async () => {
    await using log = await freshLog();
    const writer = await twentyOne(log);
    let read = 0;
    for await (const { sequence } of writer.journal.read({ from: 1 })) {
      expect(sequence).toBe(++read);
      writer.append('more', 5);
    }
    expect(read).toBe(21);
    await writer.allReported();
  });

  it('reads by subject: whole tokens only, in order, and nothing where none matches', async () => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    const under = async (prefix: string): Promise<string[]> =>
      (await allOf(journal.readBySubject(prefix))).map(({ id }) => id);
    expect(await under('signalbox.v1.evt.demo.task.e1')).toEqual(['e1']);
    expect(await under('signalbox.v1.evt.demo')).toEqual(await idsIn(log));
    expect(await under('signalbox.v1.evt.demo.task.none')).toEqual([]);
  });

  it.each([1, 2, 11, 20])('reports message %i as missing, by its sequence', async (sequence) => {
    await using log = await freshLog();
    const { journal } = await twentyOne(log);
    await log.remove(sequence);
    const read: number[] = [];
    const reading = (async () => {
      for await (const message of journal.read({ from: 1 })) read.push(message.sequence);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'log_corrupt',
      details: { expected: sequence, found: sequence + 1 },
    });
    expect(read).toEqual(Array.from({ length: sequence - 1 }, (_, index) => index + 1));
  });
}

/** Bytes compare by content, whatever class holds them. */
function readable({ bytes, ...message }: StoredMessage): object {
  return { ...message, text: Buffer.from(bytes).toString('latin1') };
}

async function allOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
