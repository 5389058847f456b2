/** The commands that show events, on recorded histories in files. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstOf, json, onFile, REVIEWS, recordedEvents, type Shown } from './recorded-log.ts';

let directory: string;
let events: readonly Shown[];
const find = (type: string, from?: number): Shown => firstOf(events, type, from);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-replay-'));
  events = await recordedEvents();
});
afterAll(() => rm(directory, { recursive: true }));

describe('events', () => {
  it('show prints one event whole', async () => {
    const { sequence, time } = find('task.created');
    const event = await json('events show', String(sequence));
    expect(event).toMatchObject({
      sequence,
      time,
      actor: 'user:test',
      event: { type: 'task.created', task: 'letter', spec: { title: 'Write a letter' } },
      transitions: [{ entity: 'task', from: null, to: 'pending', machine: 'task@1' }],
      subject: 'signalbox.v1.evt.demo.task.letter.created',
      previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('tail prints a line for each selected event', async () => {
    const { out } = await onFile(
      'events tail',
      '--from',
      '1',
      '--project',
      'demo',
      '--task',
      'poem',
      '--type',
      'task.claimed,attempt',
    );
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^ +\d+ {2}demo\/poem +\d\d:\d\d:\d\d {2}pending → claimed +task.claimed +attempt 1, agent silent$/,
    );
    expect(lines.map((line) => / (task|attempt)\.(\w+)/.exec(line)?.[2])).toEqual([
      'claimed',
      'started',
      'ended',
      'claimed',
      'started',
      'ended',
    ]);
    expect((await onFile('events tail', '--from', '1', '--type', 'agent')).out).toMatch(
      /^ +\d+ {2}agent writer +/,
    );
    expect((await onFile('events tail', '--from', '1', '--type', 'supervisor')).out).toMatch(
      /^ +1 {2}supervisor +/,
    );
  });

  it('tail --stored writes a file that is the log, byte by byte', async () => {
    const { out } = await onFile('events tail', '--from', '1', '--stored');
    expect(out).toBe(await readFile(REVIEWS, 'utf8'));
  });
});
