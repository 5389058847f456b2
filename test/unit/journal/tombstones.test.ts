/** Reading a log with erased content: all of it, by subject, and while content is erased. */
import { beforeAll, describe, expect, it } from 'vitest';
import { redactionFilter } from '../../../src/contracts/messages/subjects.ts';
import { journalSource } from '../../../src/engine/replay/event-source.ts';
import { fileSource } from '../../../src/engine/replay/file-source.ts';
import type { LogReader, StoredMessage } from '../../../src/journal/journal.ts';
import { readRedactions, tombstones } from '../../../src/journal/redactions.ts';
import { goldenHistory } from '../../support/histories/golden.ts';
import { readerOf } from '../../support/history/signed-log.ts';

/** A whole log, with tombstones. */
let all: StoredMessage[];
let erased: number[];
/** The same log as a server has it. */
let reader: LogReader;

beforeAll(async () => {
  all = await collect(fileSource(goldenHistory('0.1.0', 'proofs').file).read());
  erased = all.filter(({ originalHash }) => originalHash !== undefined).map(({ sequence }) => sequence);
  reader = readerOf(all.filter(({ sequence }) => !erased.includes(sequence)));
});

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const plain = (messages: readonly StoredMessage[]) =>
  messages.map(({ bytes, ...message }) => ({ ...message, text: Buffer.from(bytes).toString() }));

describe('a log from which content was erased', () => {
  it('is read completely, from a file and from a journal', async () => {
    expect(erased.length).toBeGreaterThan(3);
    expect(plain(await collect(journalSource(reader).read()))).toEqual(plain(all));
  });

  it('is read completely by the subject of a project and of a task, from any sequence on', async () => {
    const source = journalSource(reader);
    const [first = 0, second = 0] = erased;
    for (const from of [1, first, first + 1, second]) {
      const inProject = all.filter(({ subject }) => subject.startsWith('signalbox.v1.evt.demo.'));
      const expected = plain(inProject.filter(({ sequence }) => sequence >= from));
      expect(plain(await collect(source.read({ project: 'demo', from })))).toEqual(expected);
      const ofTask = expected.filter(({ subject }) => subject.includes('.task.secret.'));
      expect(plain(await collect(source.read({ project: 'demo', task: 'secret', from })))).toEqual(ofTask);
    }
    expect(plain(await collect(source.read({ project: 'demo', to: first })))).toEqual(
      plain(all.slice(0, first).filter(({ subject }) => subject.startsWith('signalbox.v1.evt.demo.'))),
    );
  });

  it('gives the tombstone of an event that is erased while the log is read', async () => {
    let recorded = 1;
    const growing: Pick<LogReader, 'readByFilter'> = {
      async *readByFilter(filter) {
        yield* (await collect(reader.readByFilter(filter))).slice(0, recorded);
      },
    };
    const fill = tombstones(growing);
    const order = (await collect(readRedactions(reader))).map(({ sequence }) => sequence);
    const [first = 0, second = 0] = order;
    expect((await fill(first, null)).sequence).toBe(first);
    recorded = 2;
    expect((await fill(second, null)).sequence).toBe(second);
  });

  it('reports a missing event that no redaction names', async () => {
    const [first = 0] = erased;
    const torn = readerOf(all.filter(({ sequence }) => !erased.includes(sequence) && sequence !== first + 1));
    const missing = { code: 'log_corrupt', details: { expected: first + 1 } };
    await expect(collect(journalSource(torn).read())).rejects.toMatchObject(missing);
  });
});

describe('the filter for redactions', () => {
  it.each([
    ['signalbox.v1.evt.demo', 'signalbox.v1.evt.demo.task.*.redacted'],
    ['signalbox.v1.evt.demo.task.T-1', 'signalbox.v1.evt.demo.task.T-1.redacted'],
  ])('under %s is %s', (prefix, filter) => {
    expect(redactionFilter(prefix)).toBe(filter);
  });
});
