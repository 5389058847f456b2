import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import type { BackgroundAnswer, DrainAnswer } from '../../../src/contracts/api/background.ts';
import { startUp } from '../../support/process/cli.ts';
import { survivors } from '../../support/process/processes.ts';
import { until } from '../../support/until.ts';

describe('signalbox bg', () => {
  it('runs a command in the current directory, shows it, and fetches its result once', {
    timeout: 60_000,
  }, async () => {
    await using up = await startUp('background: {}\n');
    const run = await up.run(['bg', 'run', 'pwd; printf "\\033[31mred"']);
    expect(run).toMatchObject({ code: 0, out: expect.stringMatching(/^Background task ID started: \S+\n$/) });
    const id = run.out.trim().replace(/^.*: /, '');
    await up.client.settledBackground(id);
    const one = await up.json<BackgroundAnswer>(['bg', 'check', id]);
    expect(one).toMatchObject({ status: 'completed', output: `${up.directory}\n\u001b[31mred` });
    // Nothing that a command prints reaches the terminal as a control sequence.
    const page = await up.run(['bg', 'check', id]);
    expect(page.out).toContain(`${id}  completed\n`);
    expect(page.out).toContain(`${up.directory}\n␛[31mred`);
    expect((await up.run(['bg', 'check'])).out).toMatch(new RegExp(`${id} +completed .*pwd`));
    const drained = await up.json<DrainAnswer>(['bg', 'drain', '--cursor', 'me']);
    expect(drained.results.map(({ task_id }) => task_id)).toEqual([id]);
    const again = await up.run(['bg', 'drain', '--cursor', 'me']);
    expect(again).toMatchObject({ code: 0, out: '', err: 'no new results\n' });
    expect((await up.run(['bg', 'drain'])).out).toContain(`[bg:${id}] completed: ${up.directory}`);

    const hanging = await up.run(['bg', 'run', 'sleep 600 & sleep 600']);
    const hung = hanging.out.trim().replace(/^.*: /, '');
    await until(async () => (await survivors(up.directory)).length >= 3, 'it runs');
    expect(await up.run(['bg', 'kill', hung])).toMatchObject({ code: 0, out: `${hung}  cancelled\n` });
    await until(async () => (await survivors(up.directory)).length === 0, 'nothing of it is left');
    expect(await up.run(['bg', 'kill', hung])).toMatchObject({ code: EXIT_CODES.conflict.code });
  });
});
