/** The dashboard with hostile text, many tasks, an unreachable server, the keyboard and small screens. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { QueueAnswer } from '../../src/contracts/api/answers.ts';
import { BROWSER_TEST_MS, CHROMIUM, card, TestBrowser } from '../support/http/browser.ts';
import { freePort } from '../support/process/free-port.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';

const TASKS = '/api/projects/demo/tasks';
const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script>\u001b[31mred\u001b[0m\u202Egnp.exe`;
const SHOWN = '<img src=x onerror="alert(1)"><script>alert(2)</script>␛[31mred␛[0m\ufffdgnp.exe';

const CONFIG = {
  // One test creates 5,000 tasks as fast as it can.
  server: { requests_per_second: 1_000_000 },
  defaults: { review: 'manual', max_attempts: 1 },
  agents: {
    worker: {
      driver: 'command',
      command: ['sh', '-c', 'cat "$1"; cat "$1" >&2', 'sh', '{prompt_file}'],
      concurrency: 2,
    },
    failing: {
      driver: 'command',
      command: [
        'sh',
        '-c',
        'echo "Traceback, line 42" >&2; echo "ModuleNotFoundError: No module named torch" >&2; exit 3',
      ],
    },
    parked: { driver: 'command', command: ['sleep', '600'] },
  },
};

describe.skipIf(CHROMIUM === null)('the dashboard', { timeout: BROWSER_TEST_MS }, () => {
  let sandbox: Sandbox;
  let browser: TestBrowser;

  beforeAll(async () => {
    sandbox = await Sandbox.create({ config: CONFIG, port: await freePort() });
    await sandbox.up();
    await sandbox.post(TASKS, {
      id: 'hostile',
      title: HOSTILE.slice(0, 190),
      description: HOSTILE,
      agent: 'worker',
    });
    await sandbox.post(TASKS, { id: 'failed', title: 'Fails', agent: 'failing' });
    await sandbox.post(TASKS, { id: 'runs', title: 'Runs', agent: 'parked' });
    await sandbox.post(TASKS, { id: 'held', title: 'Held', agent: 'worker', delay_seconds: 3_600 });
    await sandbox.post(`${TASKS}/held/block`, { by: 'ann', comment: HOSTILE });
  });
  afterAll(() => sandbox?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    browser = await TestBrowser.launch();
  });
  afterEach(() => browser?.[Symbol.asyncDispose]());

  const PAGES = [
    ['/ui/', 'Needs attention'],
    ['/ui/board', 'Board'],
    ['/ui/tasks', 'demo/hostile'],
    ['/ui/new', 'Description (Markdown)'],
    ['/ui/projects/demo/tasks/hostile', 'Timeline'],
    ['/ui/projects/demo/tasks/hostile/attempts/1', 'Log'],
    ['/ui/projects/demo/tasks/runs/attempts/1', 'Processes'],
    ['/ui/agents', 'Agents'],
    ['/ui/agents/parked', 'Open attempts'],
    ['/ui/queues', 'Queues'],
    ['/ui/processes', 'demo/runs, attempt 1'],
    ['/ui/dead-letters', 'Dead letters'],
    ['/ui/throughput', 'Tasks per minute'],
    ['/ui/audit', 'Audit'],
    ['/ui/machines', 'The supervisor'],
    ['/ui/nowhere', 'Page not found'],
  ] as const;

  it('has no accessibility faults on any page, in light and dark, and fits a phone', async () => {
    const page = await browser.open(`${sandbox.url}/ui/`);
    for (const [path, heading] of PAGES) {
      await page.goto(sandbox.url + path);
      await page.getByText(heading).first().waitFor();
      await page.locator('.loading').first().waitFor({ state: 'detached' });
      expect(await faultsOf(page), path).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await faultsOf(page, ['color-contrast', 'link-in-text-block']), `${path}, dark`).toEqual([]);
      await page.setViewportSize({ width: 375, height: 740 });
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(375);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1_440, height: 900 });
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await faultsOf(page), 'help').toEqual([]);
    browser.expectNoErrors();
  });

  it('shows HTML, scripts and control sequences of titles, reasons, prompts and logs as text', async () => {
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.getByText(SHOWN).first().waitFor();
    await page.goto(`${sandbox.url}/ui/`);
    await page.getByText(SHOWN).first().waitFor();
    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/hostile`);
    await page.locator('h1').getByText(SHOWN).waitFor();
    await page.locator('.output').getByText(SHOWN).first().waitFor();
    for (const stream of ['stdout', 'stderr']) {
      await page.goto(`${sandbox.url}/ui/projects/demo/tasks/hostile/attempts/1`);
      await page.getByRole('tab', { name: stream }).click();
      await page.locator('.log-text').getByText(SHOWN).first().waitFor();
    }
    expect(await page.locator('main img, main script').count()).toBe(0);
    browser.expectNoErrors();
  });

  it('says why a task failed on every page that shows it, and opens its attempt at standard error', async () => {
    const page = await browser.open(`${sandbox.url}/ui/`);
    const error = 'exited with code 3: ModuleNotFoundError: No module named torch';
    for (const path of [
      '/ui/',
      '/ui/board',
      '/ui/dead-letters',
      '/ui/projects/demo/tasks/failed',
      '/ui/agents/failing',
    ]) {
      await page.goto(sandbox.url + path);
      await page.getByText(error).first().waitFor();
    }
    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/failed`);
    await page.locator('.messages').getByText('Traceback, line 42').waitFor();
    await page.getByRole('link', { name: 'Open its log' }).click();
    await page.locator('.log-text').getByText('Traceback, line 42').waitFor();
    await page.getByRole('tab', { name: 'stderr', selected: true }).waitFor();
    browser.expectNoErrors();
  });

  it('renders only the visible cards of 5,000 tasks, and moves a card when its task changes', async () => {
    const tasks = Array.from({ length: 5_000 }, (_, index) => index);
    for (let first = 0; first < tasks.length; first += 100) {
      const answers = await Promise.all(
        tasks.slice(first, first + 100).map((index) =>
          sandbox.post('/api/projects/many/tasks', {
            id: `n${index}`,
            title: `Task ${index}`,
            agent: 'parked',
          }),
        ),
      );
      expect(answers.every(({ status }) => status === 201)).toBe(true);
    }
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.locator('[data-column="pending"] .count').getByText('5,000').waitFor();
    expect(await page.locator('.card').count()).toBeLessThan(120);
    // The last card can be scrolled to.
    await page.evaluate(`document.querySelector('[data-column="pending"] .virtual').scrollTo(0, 1e9)`);
    const last = page.locator('[aria-posinset="5000"] .card');
    const task = await last.getAttribute('data-task');
    await sandbox.post(`/api/projects/${task?.replace('/', '/tasks/')}/block`, { by: 'ann' });
    await page.locator(`[data-column="blocked"] [data-task="${task}"]`).waitFor();
    await page.locator('[data-column="pending"] .count').getByText('4,999').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('task 4242');
    await page.getByText('Task 4242', { exact: true }).waitFor();
    expect(await page.locator('.card').count()).toBe(1);
    browser.expectNoErrors();
  });

  it('weighs less than 70 kB when it opens, and can be used with the keyboard', async () => {
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await card(page, 'demo/hostile').waitFor();
    const sizes = `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/ui/'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;
    const weight = Number(await page.evaluate(sizes));
    expect(weight).toBeGreaterThan(10_000);
    expect(weight).toBeLessThan(70_000);
    const keys: readonly (readonly [string, string])[] = [
      ['ga', 'Agents'],
      ['gq', 'Queues'],
      ['gd', 'Dead letters'],
      ['gt', 'Throughput'],
      ['gu', 'Audit'],
      ['gn', 'Needs attention'],
    ];
    for (const [pair, heading] of keys) {
      await page.keyboard.type(pair);
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
      await expect.poll(() => page.title()).toContain(`${heading} – Signalbox`);
    }
    await page.keyboard.type('j');
    const first = await page.evaluate('document.activeElement.textContent');
    await page.keyboard.type('j');
    expect(await page.evaluate('document.activeElement.textContent')).not.toBe(first);
    await page.keyboard.type('k');
    expect(await page.evaluate('document.activeElement.textContent')).toBe(first);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    await page.keyboard.press('[');
    await page.getByText('The past:').waitFor();
    await page.keyboard.press('p');
    await page.getByText('The past:').waitFor({ state: 'detached' });
    browser.expectNoErrors();
  });

  it('pauses a queue with a reason, shows who paused it and why, and resumes it', async () => {
    const page = await browser.open(`${sandbox.url}/ui/queues`);
    const pausedBy = async (): Promise<unknown> => {
      const { queues } = await sandbox.get<{ queues: readonly QueueAnswer[] }>('/api/queues');
      return queues.find(({ kind, name }) => kind === 'agent' && name === 'failing')?.paused ?? null;
    };
    await page.getByRole('button', { name: 'Pause: queue of agent failing' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Comment (optional)').fill(HOSTILE);
    await dialog.getByLabel('Your name, for the log').fill('ann');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('by ann').waitFor();
    await page.getByText(SHOWN).waitFor();
    expect(await pausedBy()).toMatchObject({ by: 'ann', reason: HOSTILE });
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Resume: queue of agent failing' }).click();
    await page.getByText('by ann').waitFor({ state: 'detached' });
    expect(await pausedBy()).toBeNull();
    browser.expectNoErrors();
  });

  it('pauses an agent with a reason, and resumes it', async () => {
    const page = await browser.open(`${sandbox.url}/ui/agents`);
    await page.getByRole('button', { name: 'Pause: failing' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Comment (optional)').fill('it fails');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('it fails').waitFor();
    await page.getByRole('button', { name: 'Resume: failing' }).click();
    await page.getByRole('button', { name: 'Pause: failing' }).waitFor();
    browser.expectNoErrors();
  });

  it('reports an unreachable server, and shows what has changed after it is back', async () => {
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await card(page, 'demo/hostile').waitFor();
    await sandbox.kill('SIGKILL');
    await page.getByText('Signalbox does not answer.').waitFor();
    await sandbox.up();
    await sandbox.post(TASKS, { id: 'later', title: 'Came later', agent: 'worker', delay_seconds: 60 });
    await page.getByText('Came later').waitFor();
    await page.getByText('Signalbox does not answer.').waitFor({ state: 'detached' });
    browser.expectNoErrors();
  });
});

/** Faults that axe finds, with rule and element. @param rules all if absent */
async function faultsOf(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(axe.source);
  const options = rules === undefined ? {} : { runOnly: rules };
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
