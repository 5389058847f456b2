/** Schedules on the command line. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScheduleAnswer } from '../../../src/contracts/api/schedules.ts';
import { type CliResult, startUp, type TestUp } from '../../support/process/cli.ts';

const CONFIG = `
defaults: { review: auto }
agents: { writer: { driver: command, command: [echo, done], capabilities: [git] } }
schedules:
  nightly: { cron: '0 2 * * *', zone: Europe/Berlin, task: { title: 'Backups of {{nominal_date}}', agent: writer } }
`;

describe('signalbox schedule', () => {
  let up: TestUp;
  const run = (...args: string[]): Promise<CliResult> => up.run(['schedule', ...args]);
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, out, err } = await run(...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out.trimEnd().split('\n');
  };

  beforeAll(async () => {
    up = await startUp(CONFIG);
  });
  afterAll(() => up?.[Symbol.asyncDispose]());

  it('lists and shows times with their day, in the zone of the schedule', async () => {
    const [titles, nightly] = await lines('ls');
    expect(titles).toMatch(/^ID +PROJECT +WHEN +ZONE +STATUS +NEXT +LAST +TITLE$/);
    expect(nightly).toMatch(
      /^nightly +default +0 2 \* \* \* +Europe\/Berlin +active +20\d\d-\d\d-\d\d 02:00 +- /,
    );
    const shown = await lines('show', 'nightly');
    expect(shown.slice(0, 3)).toEqual([
      'nightly: active',
      'when       0 2 * * * (Europe/Berlin)',
      'task       Backups of {{nominal_date}}, for writer, in project default',
    ]);
    expect(shown.filter((line) => / 20\d\d-\d\d-\d\d 02:00$/.test(line))).toHaveLength(10);
  });

  it('adds, pauses, resumes, triggers, backfills and removes one', async () => {
    const add = ['add', 'sweep', '--every', '1h30m', '--title', 'Sweep', '--type', 'git'];
    expect(await lines(...add, '--catch-up-window', '2h')).toEqual([
      'created schedule sweep',
      expect.stringMatching(/^its next time is 20\d\d-\d\d-\d\d \d\d:\d\d UTC$/),
    ]);
    expect(await lines('pause', 'sweep', '--comment', 'not now')).toEqual(['schedule sweep is paused']);
    expect((await lines('show', 'sweep'))[0]).toMatch(/^sweep: paused by \S+ \(not now\)$/);
    expect(await lines('resume', 'sweep')).toEqual(['schedule sweep is active']);
    const [triggered = ''] = await lines('trigger', 'sweep');
    const [, task = ''] = /^schedule sweep has created a task: default\/(\S+)$/.exec(triggered) ?? [];
    expect((await up.settled(task)).status).toBe('done');
    expect(await lines('backfill', 'nightly', '--from', '2026-01-30', '--until', '2026-01-31')).toEqual([
      '2 times added, 0 had a task already',
    ]);
    expect((await up.json<ScheduleAnswer>(['schedule', 'show', 'sweep'])).catch_up_window_seconds).toBe(
      7_200,
    );
    expect(await lines('rm', 'sweep')).toEqual(['schedule sweep is removed']);
    expect(await lines('ls')).toHaveLength(2);
  });

  it.each<[string[], string]>([
    [['add', 'x', '--title', 't', '--agent', 'writer'], 'give exactly one of --cron, --every and --at'],
    [['add', 'x', '--title', 't', '--every', '1h'], 'give --agent for one agent, or --type for any'],
    [['add', 'x', '--title', 't', '--agent', 'writer', '--cron', '0 25 * * *'], 'hour "25" is not valid'],
    [['add', 'x', '--title', 't', '--agent', 'writer', '--every', '1h', '--zone', 'Berlin'], 'got "Berlin"'],
    [['backfill', 'nightly', '--from', 'yesterday', '--until', '2026-01-01'], 'expected a day (2026-01-31)'],
    [['resume', 'nightly'], 'schedule nightly is active: resume is for a schedule that is paused'],
    [['show', 'nosuch'], 'there is no schedule nosuch; there are: nightly'],
  ])('%j is refused with the reason', async (args, reason) => {
    const { code, out, err } = await run(...args);
    expect({ code: code === 0, out }).toEqual({ code: false, out: '' });
    expect(err).toContain(reason);
  });

  it('says if no agent can do its tasks', async () => {
    const { code, err } = await run('add', 'lost', '--every', '1h', '--title', 't', '--type', 'nosuch');
    expect({ code, err }).toEqual({
      code: 0,
      err: 'signalbox: the tasks of lost will wait: no agent in the configuration has the capability nosuch\n',
    });
  });
});
