/** The demo on the dashboard, with the decisions of its reviewer. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BROWSER_TEST_MS, CHROMIUM, card, TestBrowser } from '../support/http/browser.ts';
import { ROOT } from '../support/process/build.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';

/** The agents of the demo, run from this repository. */
async function demoConfig(): Promise<object> {
  const { shutdown: _, ...config } = parse(await readFile(join(ROOT, 'examples/demo.config.yaml'), 'utf8'));
  for (const agent of Object.values<{ cwd?: string }>(config.agents)) agent.cwd = ROOT;
  return config;
}

const TASKS = '/api/projects/demo/tasks';

describe.skipIf(CHROMIUM === null)('the dashboard', { timeout: BROWSER_TEST_MS }, () => {
  it('shows without a reload that one task is rejected and then approved, one is retried, and one hangs and is killed', async () => {
    await using sandbox = await Sandbox.create({ config: await demoConfig() });
    await sandbox.up();
    await using browser = await TestBrowser.launch();
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.getByText('There are no tasks yet.').waitFor();
    // A reload would remove this mark.
    await page.evaluate('window.before = "the tasks"');

    const params = { file: 'examples/data/agent-runs.csv', group_by: 'agent', value: 'duration_seconds' };
    await sandbox.post(TASKS, {
      id: 'analysis',
      title: 'How long do the runs take?',
      agent: 'analyst',
      review: 'manual',
      params,
    });
    await sandbox.post(TASKS, { id: 'sums', title: 'Add up the usage', agent: 'accountant' });
    await sandbox.post(TASKS, {
      id: 'hangs',
      title: 'Wait for ever',
      agent: 'sleeper',
      max_attempts: 2,
      silence_timeout_seconds: 1,
    });

    // The hanging attempt is suspected, stopped by force, and tried again.
    await page.locator('.card[data-task="demo/hangs"][data-state="suspected"]').waitFor();
    await page.locator('.card[data-task="demo/hangs"][data-state="stopping"]').waitFor();
    await card(page, 'demo/hangs').getByLabel('attempts: 2 of 2').waitFor();

    // The first attempt failed, and the second one knew why.
    const sums = page.locator('[data-column="done"] [data-task="demo/sums"]');
    await sums.waitFor();
    await sums.getByLabel('attempts: 2 of 3').waitFor();

    // A person sends the analysis back, and approves the next result.
    await page.keyboard.press('g');
    await page.keyboard.press('n');
    await page.getByRole('button', { name: 'Reject: How long do the runs take?' }).click();
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByText('Enter a comment: the agent receives it.').waitFor();
    await page.getByLabel('Comment').fill('By kind of task, please.\ngroup_by: task_type');
    await page.getByLabel('Your name, for the log').fill('ann');
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByText('demo/analysis is sent back.').waitFor();
    await page.getByRole('link', { name: 'How long do the runs take?' }).click();
    await page.getByText('#2').waitFor();
    await page
      .getByText(/by task_type/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Approve: How long do the runs take?' }).click();
    await page.locator('.head-state').getByText('done', { exact: true }).waitFor();
    await page.getByText('sent back: By kind of task, please.').waitFor();

    // The hanging task has used up its attempts: its page shows the evidence, and the task can be redriven.
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.getByRole('link', { name: '2 attempts' }).click();
    await page.getByText('Attempt 2').waitFor();
    await page.getByText(/^It was stopped in .*SIGKILL/).waitFor();
    await page.getByText(/agent \d+ hangs/).waitFor();
    await page.goBack();
    await page.getByLabel('Select Wait for ever').check();
    await page.getByRole('button', { name: 'Redrive 1 task' }).click();
    await page.getByText('Redriven: 1 task.').waitFor();
    await page.getByText('No dead letters.').waitFor();

    const { comments, status } = await sandbox.get<{ status: string; comments: { author: string }[] }>(
      `${TASKS}/analysis?expand=all`,
    );
    expect({ status, by: comments[0]?.author }).toEqual({ status: 'done', by: 'ann' });
    expect(await page.evaluate('window.before')).toBe('the tasks');
    browser.expectNoErrors();
  });
});
