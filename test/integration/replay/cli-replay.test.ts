/** The commands that read the log, on recorded histories in files. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSource, lineOf } from '../../../src/engine/replay/file-source.ts';
import type { StoredMessage } from '../../../src/journal/journal.ts';
import { goldenHistory } from '../../support/histories/golden.ts';
import { rechained } from '../../support/history/rechained.ts';
import { firstOf, json, onFile, REVIEWS, recordedEvents, run, type Shown } from './recorded-log.ts';

const COMMANDS = ['replay', 'replay check', 'rebuild', 'events', 'events tail', 'events show'];

async function messagesOf(file: string): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const message of fileSource(file).read()) messages.push(message);
  return messages;
}

let directory: string;
let events: readonly Shown[];
const find = (type: string, from?: number): Shown => firstOf(events, type, from);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-replay-'));
  events = await recordedEvents();
});
afterAll(() => rm(directory, { recursive: true }));

describe('the commands that read the log', () => {
  it.each(COMMANDS)('"signalbox %s" has a help with examples and exit codes', async (command) => {
    const { code, out } = await run(...command.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: signalbox ${command}`));
    expect(out).toMatch(
      /\nExamples:\n[\s\S]+\$ signalbox [\s\S]+\nExit codes: "signalbox help exit-codes"\n/,
    );
  });

  it.each([
    [['replay', '--to', '0'], 3, /nothing at event 0: the first event has the sequence 1 \[no_such_moment\]/],
    [['replay', '--to', '9999'], 3, /nothing at event 9999: the file .* ends with event \d+, at 20/],
    [
      ['replay', '--to', '2020-01-01T00:00:00Z'],
      3,
      /nothing at 2020-.*: the file .* begins at 2026-01-01T00:00/,
    ],
    [['replay', '--to', '2999-01-01T00:00:00Z'], 3, /it has not come yet: now it is 20/],
    [['replay', '--to', 'yesterday'], 2, /"yesterday" is not a moment: give a sequence/],
    [['replay', '--to', '2026-02-30T00:00:00Z'], 2, /is not a moment/],
    [['replay', '--to', '2026-01-01T00:00:00'], 2, /a time with its zone/],
    [['replay', '--diff', '7'], 2, /--diff needs two moments/],
    [['replay', '--diff', '7', '3'], 2, /event 3 is earlier than event 7/],
    [['replay', '--diff', '1', '2', '--to', '3'], 2, /cannot be used with option '--to/],
    [['replay', '--task', 'nothing', '--project', 'demo'], 3, /has no task nothing \[task_not_found\]/],
    [['replay', '--task', 'letter', '--project', 'demo', '--to', '2'], 3, /has no task letter/],
    [['events', 'show', '9999'], 3, /no event 9999: .* ends with \d+ \[no_such_moment\]/],
    [['events', 'show', '0'], 2, /expected the sequence number of an event/],
    [['events', 'tail', '--from', '0'], 2, /--from: expected a sequence/],
    [
      ['events', 'tail', '--from', '1', '--type', 'task.teleported'],
      2,
      /"task.teleported" is not an event type, nor the first word of one: task.created/,
    ],
    [['replay', '--nats-url', 'nats://x'], 2, /cannot be used with option/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    const result = await run(...args, '--file', REVIEWS);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toMatch(message);
    expect(result.err).not.toContain('    at ');
  });

  it('says that there is no log, and creates none', async () => {
    const nowhere = join(directory, 'nowhere');
    for (const command of [['replay'], ['replay', 'check'], ['rebuild'], ['events', 'tail']]) {
      const { code, err } = await run(...command, '--data-dir', nowhere);
      expect(err).toMatch(/^signalbox: there is no event log in .*nowhere: .*--data-dir.* \[not_found\]\n$/);
      expect(code).toBe(3);
    }
    await expect(access(nowhere)).rejects.toThrow('ENOENT');
    expect((await run('replay', '--file', nowhere)).err).toMatch(
      /nowhere cannot be read.*\[content_unreadable\]/,
    );
  });
});

describe('replay', () => {
  it('shows the board at a sequence: place, counts, and each task as it was', async () => {
    const { sequence, time } = find('task.submitted');
    const { out } = await onFile('replay', '--to', String(sequence));
    const [place, counts, title, row] = out.split('\n');
    expect(place).toMatch(new RegExp(`^as of event ${sequence}, ${time} \\(\\d+[smhd] ago\\)$`));
    expect(counts).toBe('1 task: 1 review');
    expect(title).toMatch(/^ID +PROJECT +STATUS/);
    expect(row).toMatch(/^letter +demo +review +writer +9 +1\/4 +0s +Write a letter$/);
  });

  it('shows it at a time, and the end by default', async () => {
    const { sequence, time } = find('task.rejected');
    const last = events.findLast((event) => event.time <= time)?.sequence;
    const at = await json<{ sequence: number; time: string; counts: Record<string, number> }>(
      'replay',
      '--to',
      time,
    );
    expect(at).toMatchObject({ sequence: last, time });
    const before = new Date(Date.parse(time) - 1).toISOString();
    expect((await json<{ sequence: number }>('replay', '--to', before)).sequence).toBeLessThan(sequence);
    const now = await json<{ sequence: number; counts: object; agents: unknown[] }>('replay');
    expect(now).toMatchObject({ sequence: events.length, counts: { done: 2, review: 0 } });
    expect(now.agents).toMatchObject([{ id: 'writer', state: 'idle' }, { id: 'silent' }]);
    expect(await json('replay', '--to', '1s ago')).toEqual(now);
    expect(await json('replay', '--project', 'empty')).toMatchObject({ tasks: [], counts: { done: 0 } });
  });

  it('shows one task whole, as a page and as the API does', async () => {
    const { sequence } = find('task.rejected');
    const args = ['--to', String(sequence), '--project', 'demo', '--task', 'letter'];
    const { task } = await json<{ task: Record<string, unknown[]> }>('replay', ...args, '--events');
    expect(task).toMatchObject({
      id: 'letter',
      reason: 'the date is missing',
      output_count: 1,
      last_outcome: null,
    });
    expect(task.attempts).toMatchObject([{ attempt: 1, agent: 'writer', usage: null }]);
    expect(task.comments).toHaveLength(2);
    expect(task.events?.at(-1)).toMatchObject({ sequence, event: { type: 'task.rejected' } });
    const page = (await onFile('replay', ...args)).out;
    expect(page).toMatch(/^as of event \d+, .*\n\nWrite a letter\nletter in project demo: pending\n/);
    expect(page).toContain('somebody');
    expect(page).not.toContain('Events');
  });

  it('--diff says what has changed: tasks, states, attempts, outputs, comments, agents', async () => {
    const created = find('task.created').sequence;
    const rejected = find('task.rejected').sequence;
    const { out } = await onFile('replay', '--diff', String(created - 1), String(rejected));
    expect(out).toMatch(
      new RegExp(
        `^from event ${created - 1}, .*\nto event ${rejected}, .*: ${rejected - created + 1} events\n`,
      ),
    );
    expect(out).toMatch(
      /\ndemo\/letter Write a letter\n {2}created; now pending\n {2}attempt 1 by writer: running\n/,
    );
    expect(out).toMatch(/\n {2}output 1: document "#m\d+#" by writer\n {2}comment by writer: #m\d+#\n/);
    expect(out).toContain('\n  comment by somebody: the date is missing\n');
    expect(out).toContain('\nagent writer: idle → busy\n');
    const end = String(events.length);
    const diff = await json<{ tasks: object[]; agents: object[] }>('replay', '--diff', String(rejected), end);
    expect(diff).toMatchObject({
      from: { sequence: rejected },
      to: { sequence: events.length },
      tasks: [
        { id: 'letter', created: false, status: { from: 'pending', to: 'done' }, outputs: [{ number: 2 }] },
        {
          id: 'poem',
          created: true,
          status: { from: null, to: 'done' },
          attempts: [{ from: null, to: 'completed' }, {}],
        },
      ],
      agents: [{ id: 'writer', from: 'busy', to: 'idle' }],
    });
    expect(await json('replay', '--diff', end, end)).toMatchObject({ tasks: [], agents: [] });
    expect((await onFile('replay', '--diff', end, end)).out).toContain('nothing has changed');
    const one = await json('replay', '--diff', '1', end, '--project', 'demo', '--task', 'poem');
    expect(one).toMatchObject({ tasks: [{ id: 'poem' }], agents: [] });
  });

  it('--diff says which queues were paused and resumed', async () => {
    const { file } = goldenHistory('0.1.0', 'queues');
    const records: Shown[] = [];
    const { out } = await run('events', 'tail', '--from', '1', '--json', '--file', file);
    for (const line of out.trimEnd().split('\n')) records.push(JSON.parse(line));
    const changes = records.filter(({ event }) => event.type.startsWith('queue.'));
    const [first = 0, , resumed = 0] = changes.map(({ sequence }) => sequence);
    const pausing = await run('replay', '--file', file, '--diff', String(first - 1), String(first + 1));
    expect(pausing.out).toMatch(/\n\nqueue agent:worker: open → paused\nqueue type:build: open → paused\n$/);
    const resuming = ['--diff', String(resumed - 1), String(resumed), '--json'];
    expect(JSON.parse((await run('replay', '--file', file, ...resuming)).out)).toMatchObject({
      queues: [{ queue: 'agent:worker', from: 'paused', to: 'open' }],
    });
  });
});

describe('replay check', () => {
  it('accepts every golden history as it was recorded', async () => {
    expect(await onFile('replay check')).toEqual({
      code: 0,
      err: '',
      out: `all ${events.length} events of the file ${REVIEWS} give the recorded result\n`,
    });
    expect(await json('replay check')).toEqual({ ok: true, events: events.length, divergence: null });
  });

  it('names the first event with a different result, with exit code 6', async () => {
    const { sequence, time } = find('task.submitted');
    const edited = rechained(await messagesOf(REVIEWS), (text, at) =>
      at === sequence ? text.replace('"to":"review"', '"to":"done"') : text,
    );
    const file = join(directory, 'edited.ndjson');
    await writeFile(file, edited.map((message) => `${lineOf(message)}\n`).join(''));
    const { code, out } = await run('replay', 'check', '--file', file);
    expect(code).toBe(6);
    expect(out.split('\n')).toEqual([
      `event ${sequence} (task.submitted, ${time}) gives a different result: it took task demo/letter from working to done, and now would take it from working to review`,
      expect.stringMatching(/^ {2}recorded {2}\{"entity":"task","id":"demo\/letter",.*"to":"done"/),
      expect.stringMatching(/^ {2}now {7}\{"entity":"task","id":"demo\/letter",.*"to":"review"/),
      '  task      /api/projects/demo/tasks/letter',
      expect.stringMatching(/^All events before it/),
      '',
    ]);
    const report = JSON.parse((await run('replay', 'check', '--file', file, '--json')).out);
    expect(report).toMatchObject({
      ok: false,
      events: sequence - 1,
      divergence: { sequence, type: 'task.submitted' },
    });
  });

  it('and every other command refuse a file in which a byte was changed, and name the place', async () => {
    const text = await readFile(REVIEWS, 'utf8');
    const file = join(directory, 'flipped.ndjson');
    await writeFile(file, text.replace('Write a letter', 'Wrote a letter'));
    const { sequence } = find('task.created');
    for (const command of [['replay'], ['replay', 'check'], ['rebuild'], ['events', 'tail', '--from', '1']]) {
      const { code, err } = await run(...command, '--file', file);
      expect({ code, err }).toEqual({
        code: 1,
        err: expect.stringContaining(`the hash chain breaks at event ${sequence + 1}:`),
      });
    }
  });
});

describe('rebuild', () => {
  it('rebuilds from a file, and says that there is nothing to compare with', async () => {
    expect(await json('rebuild')).toEqual({
      ok: true,
      sequence: events.length,
      compared: null,
      differences: [],
      snapshots_dropped: null,
    });
    expect((await onFile('rebuild')).out).toMatch(
      new RegExp(
        `^rebuilt ${events.length} events in .*: the hash chain and every transition are valid\nnot compared`,
      ),
    );
  });
});
