/** What agents have used, budgets and schedules on the dashboard. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BROWSER_TEST_MS, CHROMIUM, TestBrowser } from '../support/http/browser.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';
import { until } from '../support/until.ts';

const TASKS = '/api/projects/demo/tasks';
const PHONE = { viewport: { width: 390, height: 844 } };
const CONFIG = {
  defaults: { review: 'auto', max_attempts: 1 },
  drivers: {
    meter: {
      program: 'sh',
      args: ['-c', 'echo "$0"', '{usage}'],
      options: { usage: null },
      output: {
        format: 'json',
        result: ['text'],
        text: 'text',
        usage: { model: 'model', input_tokens: 'in', output_tokens: 'out', cost_usd: 'cost' },
      },
    },
  },
  agents: {
    paid: {
      driver: 'meter',
      options: { usage: '{"text":"x","model":"m-1","in":9000,"out":1000,"cost":0.5}' },
    },
    free: { driver: 'command', command: ['echo', 'done'] },
  },
  budgets: { daily: { period: 'day', agent: 'paid', tokens: 10_000, cost_usd: 5 } },
  schedules: {
    nightly: {
      cron: '0 2 * * *',
      zone: 'Europe/Berlin',
      project: 'demo',
      overlap: 'buffer_all',
      task: { title: 'Backups of {{nominal_date}}', agent: 'free' },
    },
  },
};

describe.skipIf(CHROMIUM === null)('the dashboard', { timeout: BROWSER_TEST_MS }, () => {
  let sandbox: Sandbox;
  let browser: TestBrowser;
  const statusOf = async (id: string): Promise<string> =>
    (await sandbox.get<{ status: string }>(`${TASKS}/${id}`)).status;
  const done = async (id: string, agent: string): Promise<void> => {
    expect((await sandbox.post(TASKS, { id, title: id, agent })).status).toBe(201);
    await until(async () => (await statusOf(id)) === 'done', `task ${id} is done`, 20_000);
  };

  beforeAll(async () => {
    sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    await done('first', 'paid');
    await done('second', 'free');
  });
  afterAll(() => sandbox?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    browser = await TestBrowser.launch();
  });
  afterEach(() => browser?.[Symbol.asyncDispose]());

  it('shows costs that are known, and says what is not, with plots that have axes, a legend and a table', async () => {
    const page = await browser.open(`${sandbox.url}/ui/usage`);
    await page.getByText('at least $0.50').first().waitFor();
    await page.getByText('The cost of 1 of 2 attempts is not known').waitFor();
    const [cost, tokens] = await page.locator('.plot').all();
    expect(await cost?.getByRole('img').getAttribute('aria-label')).toBe(
      'Cost per day, as far as it is known: paid $0.50 US dollars; free unknown US dollars',
    );
    expect(await tokens?.locator('.legend').innerText()).toMatch(/all 30 days\s+paid 10,000\s+free unknown/);
    await cost?.getByText('Show as table').click();
    const rows = await cost?.locator('tbody tr').allInnerTexts();
    expect(rows).toHaveLength(30);
    expect(rows?.at(-1)).toMatch(/\$0.50\s+unknown$/);
    const sums = await page.locator('table.numbers tr').allInnerTexts();
    expect(sums.at(-1)).toMatch(/^Total\s.*at least 10,000\s+at least \$0.50$/);
    browser.expectNoErrors();
  });

  it('raises a budget that is used up with a key, after a confirmation, and its agent goes on', async () => {
    await sandbox.post(TASKS, { id: 'third', title: 'third', agent: 'paid' });
    const page = await browser.open(`${sandbox.url}/ui/`);
    await page.getByText('10,000 of 10,000 tokens are used this day').waitFor();
    await page.goto(`${sandbox.url}/ui/agents`);
    await page.getByText('budget daily of agent paid for this day is used up').waitFor();
    await page.goto(`${sandbox.url}/ui/usage`);
    await page.getByText('Starts no attempts until then.').waitFor();
    await page.getByRole('button', { name: 'Raise: budget daily' }).focus();
    await page.keyboard.press('i');
    await page.getByLabel('Tokens, more than 10,000 tokens').fill('9000');
    await page.getByLabel('Comment').fill('release day');
    await page.getByRole('dialog').getByRole('button', { name: 'Raise' }).click();
    await page.getByText('budget daily cannot be raised to 9,000 tokens').waitFor();
    expect(await statusOf('third')).toBe('pending');
    await page.getByLabel('Tokens, more than 10,000 tokens').fill('50000');
    await page.getByRole('dialog').getByRole('button', { name: 'Raise' }).click();
    await page.getByText('Budget daily is raised: 10,000 of 50,000 tokens').waitFor();
    await expect.poll(() => statusOf('third'), { timeout: 20_000 }).toBe('done');
    await page.getByText('release day').waitFor();
    browser.expectNoErrors();
  });

  it('runs, pauses, resumes and backfills a schedule, also on a phone', async () => {
    const page = await browser.open(`${sandbox.url}/ui/schedules`, PHONE);
    const row = page.locator('.schedule');
    await row.getByText('0 2 * * *').waitFor();
    const decide = async (name: string, action = name): Promise<void> => {
      await row.getByRole('button', { name: `${name}: schedule nightly` }).click();
      await page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();
    };
    await decide('Run now');
    await row.getByRole('region', { name: 'Last runs' }).getByText('done').waitFor();
    await decide('Backfill');
    await page.getByText('Schedule nightly: 1 time added, 0 had a task already.').waitFor();
    await expect.poll(() => row.getByText('done').count(), { timeout: 20_000 }).toBe(2);
    await decide('Pause');
    await row.getByText('none while it is paused').waitFor();
    await decide('Resume');
    await row.getByText('none while it is paused').waitFor({ state: 'detached' });
    for (const path of ['schedules', 'usage']) {
      await page.goto(`${sandbox.url}/ui/${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    }
    browser.expectNoErrors();
  });
});
