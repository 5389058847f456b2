/** What an operator changes on the dashboard: new tasks, also from templates and as copies, edits, more time, and trees that are cancelled. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BoardAnswer } from '../../src/contracts/api/board.ts';
import { BROWSER_TEST_MS, CHROMIUM, TestBrowser } from '../support/http/browser.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';

const TASKS = '/api/projects/demo/tasks';
const CONFIG = {
  defaults: { review: 'manual', max_attempts: 1 },
  templates: {
    letter: {
      about: 'A letter to someone',
      inputs: { to: { about: 'whom' }, tone: { default: 'kind' } },
      task: {
        title: 'Write to {{to}}',
        description: 'Be {{tone}}.',
        agent: 'sleeper',
        budget: { attempts: 2 },
      },
    },
  },
  agents: {
    writer: { driver: 'command', command: ['echo', 'done'], capabilities: ['write'], concurrency: 4 },
    sleeper: { driver: 'command', command: ['sleep', '600'], concurrency: 9 },
  },
};

describe.skipIf(CHROMIUM === null)('an operator who changes things', { timeout: BROWSER_TEST_MS }, () => {
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

  beforeAll(async () => {
    sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
  });
  afterAll(() => sandbox?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    browser = await TestBrowser.launch();
  });
  afterEach(() => browser?.[Symbol.asyncDispose]());

  it('creates a task by keyboard, and another one as a changed copy', async () => {
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.getByRole('heading', { name: 'Board' }).waitFor({ state: 'attached' });
    await page.keyboard.press('c');
    await page.getByLabel('Title').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Write it down');
    await page.getByLabel('Description').fill('All of **it**.');
    await page.locator('label', { hasText: /^For/ }).locator('select').selectOption('type:write');
    await page.locator('.task-form').getByLabel('Project').fill('demo');
    await page.getByText('More: dependencies').click();
    await page.getByLabel('Id (generated').fill('typed');
    await page.getByLabel('Labels').fill('team=blue');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByRole('heading', { name: 'Write it down' }).waitFor();
    await page.locator('.prose strong').getByText('it', { exact: true }).waitFor();
    await reviewed('typed');
    expect(await sandbox.get(`${TASKS}/typed`)).toMatchObject({ type: 'write', labels: { team: 'blue' } });

    await page.getByRole('link', { name: 'Copy', exact: true }).click();
    await page.getByLabel('Title').fill('Write it again');
    await page.getByText('More: dependencies').click();
    await page.getByLabel('Id (generated').fill('again');
    await page.getByLabel('Time limit').fill('soon');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByText('expected a duration such as 90s').waitFor();
    await page.getByLabel('Time limit').fill('5m');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByRole('heading', { name: 'Write it again' }).waitFor();
    expect(await sandbox.get(`${TASKS}/again`)).toMatchObject({
      type: 'write',
      description: 'All of **it**.',
      labels: { team: 'blue' },
      timeout_seconds: 300,
    });
    browser.expectNoErrors();
  });

  it('creates a task from a template by the palette, fills in its inputs and changes what it says', async () => {
    const page = await browser.open(`${sandbox.url}/ui/board`);
    await page.locator('h1').first().waitFor({ state: 'attached' });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('letter');
    await page.getByRole('option', { name: /Create a task: letter/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('A letter to someone').waitFor();
    await page.getByLabel('to whom').and(page.locator(':focus')).waitFor();
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await page.getByLabel('Description').waitFor();
    expect(await page.getByLabel('Title').inputValue()).toBe('Write to Ann');
    await page.locator('.task-form').getByLabel('Project').fill('demo');
    await page.getByLabel('Description').fill('Be kind, and short.');
    await page.getByText('More: dependencies').click();
    await page.getByLabel('Id (generated').fill('to-ann');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByRole('heading', { name: 'Write to Ann' }).waitFor();
    const expected = { title: 'Write to Ann', description: 'Be kind, and short.', agent: 'sleeper' };
    expect(await sandbox.get(`${TASKS}/to-ann`)).toMatchObject({
      ...expected,
      budget: { attempts: 2 },
      source: 'template letter',
    });

    // A copy has what the form does not show.
    await page.keyboard.press('y');
    await page.getByText('a copy of demo/to-ann').waitFor();
    await page.getByText('More: dependencies').click();
    await page.getByLabel('Id (generated').fill('to-ann-again');
    await page.getByRole('button', { name: 'Create task' }).click();
    await page.getByText('demo/to-ann-again is created.').waitFor();
    expect(await sandbox.get(`${TASKS}/to-ann-again`)).toMatchObject({
      ...expected,
      budget: { attempts: 2 },
      source: 'copy of to-ann',
    });
    await page.goto(`${sandbox.url}/ui/new`);
    await page.getByRole('navigation', { name: 'Templates' }).getByRole('link', { name: 'letter' }).click();
    await page.getByText('A letter to someone').waitFor();
    browser.expectNoErrors();
  });

  it('edits a task that waits by the key e, and only the priority of one that an agent works on', async () => {
    await add('waits', { delay_seconds: 3_600, labels: { team: 'blue', old: 'x' }, description: 'Before.' });
    const { sequence } = await sandbox.get<BoardAnswer>('/api/board');
    const page = await browser.open(`${sandbox.url}/ui/projects/demo/tasks/waits`);
    await page.getByRole('heading', { name: 'Task waits' }).waitFor();
    await page.keyboard.press('e');
    await page.getByLabel('Title').and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Task changed');
    await page.getByLabel('Labels').fill('team=green');
    await page.getByLabel('Priority').fill('9');
    await page.locator('label', { hasText: /^For/ }).locator('select').selectOption('agent:sleeper');
    await page.getByLabel('Expires').fill('tomorrow');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('expected a duration such as 2h, or a time').waitFor();
    await page.getByLabel('Expires').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Task changed' }).waitFor();
    await page.getByText('changed title, agent writer → sleeper, priority 5 → 9, labels').waitFor();
    expect(await sandbox.get(`${TASKS}/waits`)).toMatchObject({
      title: 'Task changed',
      description: 'Before.',
      agent: 'sleeper',
      priority: 9,
      labels: { team: 'green' },
      status: 'scheduled',
    });
    // The past shows what it was then.
    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/waits?at=${sequence}`);
    await page.getByRole('heading', { name: 'Task waits' }).waitFor();
    await page.locator('.facts').getByText('team=blue, old=x').waitFor();

    await add('works', { agent: 'sleeper' });
    await expect.poll(() => statusOf('works')).toBe('working');
    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/works/edit`);
    await page.getByText('Attempt 1 works on it: only its priority can be changed.').waitFor();
    expect(await page.locator('.task-form input, .task-form textarea').count()).toBe(1);
    await page.getByLabel('Priority').fill('8');
    await page.keyboard.press('Enter');
    await page.getByText('demo/works is changed.').waitFor();
    expect(await sandbox.get(`${TASKS}/works`)).toMatchObject({ priority: 8, status: 'working' });
    browser.expectNoErrors();
  });

  it('gives an attempt more time, and cancels a task with everything below it', async () => {
    await add('root', { agent: 'sleeper' });
    for (const id of ['left', 'right']) await add(id, { parent: 'root', delay_seconds: 3_600 });
    await add('leaf', { parent: 'left', delay_seconds: 3_600 });
    await expect.poll(() => statusOf('root')).toBe('working');
    const page = await browser.open(`${sandbox.url}/ui/projects/demo/tasks/root/attempts/1`);
    await page.getByRole('button', { name: 'More time' }).waitFor();
    await page.keyboard.press('e');
    await page.getByLabel('How much more').fill('soon');
    await page.keyboard.press('Enter');
    await page.getByText('Expected a time such as 90s').waitFor();
    await page.getByLabel('How much more').fill('2h');
    await page.keyboard.press('Enter');
    await page.getByText('The attempt times out in 2 h').waitFor();

    await page.goto(`${sandbox.url}/ui/projects/demo/tasks/root`);
    await page.getByText('gave attempt 1 more time, until').waitFor();
    await page.keyboard.press('x');
    await page.getByLabel('Also the 3 tasks below it that have not ended').check();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel task' }).click();
    await page.getByText('demo/root is cancelled.').waitFor();
    await page.getByText('cancelled with everything below it').waitFor();
    for (const id of ['root', 'left', 'right', 'leaf'])
      await expect.poll(() => statusOf(id)).toBe('cancelled');
    browser.expectNoErrors();
  });
});
