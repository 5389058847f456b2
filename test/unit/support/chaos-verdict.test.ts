/** The verdict of a run of chaos on a recorded history: content with what was kept, and with nothing else. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/contracts/events/events.ts';
import { decodeMessage } from '../../../src/journal/codec/cloud-event.ts';
import { Ledger } from '../../support/chaos/ledger.ts';
import type { Note } from '../../support/chaos/notes.ts';
import { judge } from '../../support/chaos/verdict.ts';

/** A Signalbox that was killed at every moment of an attempt; every task has come to its end. */
const HISTORY = fileURLToPath(new URL('../../histories/0.1.0/crashes.ndjson', import.meta.url));

let directory: string;
let records: EventRecord[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-verdict-'));
  const lines = (await readFile(HISTORY, 'utf8')).trimEnd().split('\n');
  records = lines.flatMap((line) => decodeMessage(line, HISTORY));
});
afterAll(() => rm(directory, { recursive: true }));

function truth(): { ledger: Ledger; notes: Note[] } {
  const ledger = new Ledger();
  const notes: Note[] = [];
  for (const { event } of records) {
    if (event.type === 'task.created') ledger.created.set(event.task, event.spec.title);
    if (event.type !== 'attempt.started') continue;
    const { task, attempt, pid = 0, start_time: startTime = '' } = event;
    notes.push({ task, attempt, pid, startTime, words: [] });
  }
  return { ledger, notes };
}

async function violations(
  change: (evidence: { ledger: Ledger; notes: Note[] }) => void,
  file = HISTORY,
): Promise<readonly string[]> {
  const evidence = truth();
  change(evidence);
  return (await judge({ project: 'demo', file, ...evidence })).violations;
}

function noteOf(notes: readonly Note[]): Note {
  const [note] = notes;
  if (!note) throw new Error('the history has no attempt');
  return note;
}

describe('the verdict', () => {
  it('is content with a history in which everything was kept', async () => {
    expect(await violations(() => {})).toEqual([]);
  });

  it('finds acknowledged decisions that are missing in the log, and refused ones that are in it', async () => {
    expect(
      await violations(({ ledger }) => {
        ledger.created.set('missing', 'a task');
        ledger.note('word:lost', 200);
      }),
    ).toEqual([
      'task missing was answered with 201, and is not in the log',
      '"word:lost" was answered as done, and is in the log 0 times',
    ]);
    const marked = join(directory, 'marked.ndjson');
    // The last event: the chain binds those before it.
    const lines = (await readFile(HISTORY, 'utf8')).trimEnd().split('\n');
    const last = lines.findLastIndex((line) => line.includes('"type":"task.created"'));
    const text = `${lines.slice(0, last).join('\n')}\n${lines[last]?.replace(/"title":"[^"]*"/, '"title":"word:refused"')}\n`;
    await writeFile(marked, text);
    expect(await violations(({ ledger }) => ledger.note('word:refused', 409), marked)).toContain(
      '"word:refused" was refused, and is in the log',
    );
  });

  it('finds an attempt that ran twice, without a claim, as another process, or never', async () => {
    expect(await violations(({ notes }) => notes.push({ ...noteOf(notes), pid: 4_242 }))).toEqual([
      expect.stringMatching(/^attempt \S+ ran as process 1000 and as process 4242$/),
      expect.stringMatching(/^attempt \S+ ran as 4242 \d+; the log has 1000 \d+$/),
    ]);
    expect(await violations(({ notes }) => notes.push({ ...noteOf(notes), attempt: 99 }))).toEqual([
      expect.stringMatching(/^attempt \S+\.99 ran, and no claim is in the log$/),
    ]);
    expect(await violations(({ notes }) => notes.splice(0))).toContainEqual(
      expect.stringMatching(/is said to be completed, and never ran$/),
    );
  });

  it('finds a log that ends too early, and one with a missing event', async () => {
    const lines = (await readFile(HISTORY, 'utf8')).trimEnd().split('\n');
    const early = join(directory, 'early.ndjson');
    const end = records.findIndex(({ event }) => event.type === 'attempt.started') + 1;
    await writeFile(early, `${lines.slice(0, end).join('\n')}\n`);
    const found = await violations(() => {}, early);
    expect(found).toContainEqual(expect.stringMatching(/^\d+ attempts never ended$/));
    expect(found).toContainEqual(expect.stringMatching(/^task \S+ is stuck in claimed$/));
    const holed = join(directory, 'holed.ndjson');
    await writeFile(holed, `${lines.toSpliced(end, 1).join('\n')}\n`);
    await expect(violations(() => {}, holed)).rejects.toThrow(/hash/);
  });
});
