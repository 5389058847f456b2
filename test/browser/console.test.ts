/** What an operator does on the dashboard: triage, decisions by key and for many tasks, search, and links to a moment. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BoardAnswer } from '../../src/contracts/api/board.ts';
import { BROWSER_TEST_MS, CHROMIUM, TestBrowser } from '../support/http/browser.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';

const TASKS = '/api/projects/demo/tasks';
const CONFIG = {
  defaults: { review: 'manual', max_attempts: 1 },
  agents: {
    writer: {
      driver: 'command',
      command: ['sh', '-c', 'echo "# Report"; echo; echo "2 findings, **one** of them high: zirconium"'],
      capabilities: ['write'],
      concurrency: 4,
    },
    failing: { driver: 'command', command: ['sh', '-c', 'echo "no such table" >&2; exit 1'] },
    away: { driver: 'remote' },
    sleeper: { driver: 'command', command: ['sleep', '600'], concurrency: 9 },
  },
};

describe.skipIf(CHROMIUM === null)('an operator', { timeout: BROWSER_TEST_MS }, () => {
  let sandbox: Sandbox;
  let browser: TestBrowser;

  const add = async (id: string, more: object = {}): Promise<void> => {
    const body = { id, title: `Task ${id}`, agent: 'writer', ...more };
    expect((await sandbox.post(TASKS, body)).status).toBe(201);
  };
  const statusOf = async (id: string): Promise<string> =>
    (await sandbox.get<{ status: string }>(`${TASKS}/${id}`)).status;
  const reviewed = (id: string): Promise<void> =>
    expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe('review');
  const groups = (page: Page): Promise<string[]> => page.locator('.section h2').allInnerTexts();

  beforeAll(async () => {
    sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
  });
  afterAll(() => sandbox?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    browser = await TestBrowser.launch();
  });
  afterEach(() => browser?.[Symbol.asyncDispose]());

  it('sees failures and tasks without an agent before reviews, by priority, with the result of each', async () => {
    await add('low', { priority: 2 });
    await add('high', { priority: 9 });
    await add('fails', { agent: 'failing' });
    await add('nobody', { agent: undefined, type: 'nosuch' });
    await add('far', { agent: 'away' });
    await Promise.all([reviewed('low'), reviewed('high')]);
    const page = await browser.open(`${sandbox.url}/ui/`);
    await page.getByText('exited with code 1: no such table').waitFor();
    await page.getByText('No agent has the capability nosuch.').waitFor();
    await page.getByText('away has no worker').waitFor();
    await page.getByText('Report – 2 findings, one of them high: zirconium').first().waitFor();
    expect((await groups(page)).map((title) => title.split('\n')[0]?.replace(/\d+$/, '').trim())).toEqual([
      'Failed',
      'No agent can take these',
      'To review',
      'Agents that take no tasks',
    ]);
    const titles = await page
      .getByRole('region', { name: 'To review' })
      .locator('[data-task]')
      .allInnerTexts();
    expect(titles).toEqual(['Task high', 'Task low']);
    browser.expectNoErrors();
  });

  it('approves the focused result with one key, and sixteen results with two clicks', async () => {
    const page = await browser.open(`${sandbox.url}/ui/`);
    const reviews = page.getByRole('region', { name: 'To review' });
    await reviews.getByRole('link', { name: 'Task high' }).focus();
    await page.keyboard.press('a');
    await page.getByText('demo/high is approved.').waitFor();
    expect(await statusOf('high')).toBe('done');

    const ids = Array.from({ length: 15 }, (_, index) => `many-${index}`);
    for (const id of ids) await add(id);
    await Promise.all(ids.map(reviewed));
    await reviews.getByRole('button', { name: 'Select all 16' }).click();
    await reviews.getByRole('button', { name: 'Approve 16 tasks' }).click();
    await page.getByText('16 tasks approved.').waitFor();
    for (const id of ['low', ...ids]) expect(await statusOf(id)).toBe('done');
    browser.expectNoErrors();
  });

  it('finds a settled task by a word of its output, and anything by the palette', async () => {
    await add('found', { description: 'about rocks', labels: { kind: 'mineral' }, review: 'auto' });
    await expect.poll(() => statusOf('found'), { timeout: 20_000 }).toBe('done');
    const page = await browser.open(`${sandbox.url}/ui/`);
    await page.locator('h1').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('zirconium mineral');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Tasks', exact: true }).waitFor();
    await expect.poll(() => page.locator('tbody [data-task]').allInnerTexts()).toEqual(['Task found']);
    // The words are in the address, and stay there over a reload.
    await page.reload();
    await expect.poll(() => page.locator('tbody [data-task]').allInnerTexts()).toEqual(['Task found']);

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('found');
    await page.getByRole('option', { name: /Task found/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Task found' }).waitFor();
    browser.expectNoErrors();
  });

  it('opens a moment from a link, and sees nothing of what came later', async () => {
    const { sequence: before } = await sandbox.get<BoardAnswer>('/api/board');
    await add('parent', { agent: 'sleeper' });
    await add('past', { parent: 'parent', priority: 3, max_attempts: 3 });
    await reviewed('past');
    const { sequence } = await sandbox.get<BoardAnswer>('/api/board');
    await sandbox.post(`${TASKS}/past/reject`, { by: 'ann', comment: 'again, please' });
    await sandbox.patch(`${TASKS}/past`, { by: 'ann', priority: 8 });
    await reviewed('past');

    const page = await browser.open(`${sandbox.url}/ui/projects/demo/tasks/past?at=${sequence}`);
    await page.getByText(`The past: event ${sequence},`).waitFor();
    const facts = page.locator('.facts');
    await facts.getByText('1 of 3').waitFor();
    await facts.getByText('3', { exact: true }).waitFor();
    await page.getByText('You see the past').waitFor();
    expect(await page.getByText('again, please').count()).toBe(0);
    expect(await page.locator('.bar-axis').getByText('now').count()).toBe(0);
    expect(await page.locator('.bars').getByText('#2').count()).toBe(0);
    await page.reload();
    await page.getByText(`The past: event ${sequence},`).waitFor();
    await page.keyboard.press('p');
    await facts.getByText('2 of 3').waitFor();
    expect(new URL(page.url()).search).toBe('');

    // A parent does not have children that were created later.
    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/parent?at=${before + 1}`);
    await page.getByText(`The past: event ${before + 1},`).waitFor();
    expect(await page.getByText('Subtasks').count()).toBe(0);
    await page.keyboard.press('p');
    await page.getByRole('link', { name: 'Task past' }).waitFor();
    await page.getByRole('tab', { name: 'Tree' }).click();
    await page.locator('.tree').getByRole('link', { name: 'Task past' }).waitFor();
    browser.expectNoErrors();
  });

  it('reaches every page, the settings and the help on a phone', async () => {
    const page = await browser.open(`${sandbox.url}/ui/`, { viewport: { width: 390, height: 844 } });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('link', { name: 'Throughput' }).click();
    await page.getByRole('heading', { name: 'Throughput' }).waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: /^Theme/ }).click();
    await page.getByLabel('Your name, for the log').fill('ann');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: /^Help/ }).waitFor();
    browser.expectNoErrors();
  });

  it('sees every column of the board at 1,440 pixels without scrolling', async () => {
    await add('held', { delay_seconds: 3_600 });
    await add('blocked', { delay_seconds: 3_600 });
    await sandbox.post(`${TASKS}/blocked/block`, { by: 'ann' });
    await add('gone', { delay_seconds: 3_600 });
    await sandbox.post(`${TASKS}/gone/cancel`, { by: 'ann' });
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.locator('[data-column="cancelled"] [data-task="demo/gone"]').waitFor();
    expect(await page.locator('.column').count()).toBe(8);
    const board = "document.querySelector('.board')";
    expect(await page.evaluate(`${board}.scrollWidth - ${board}.clientWidth`)).toBe(0);
    browser.expectNoErrors();
  });
});
