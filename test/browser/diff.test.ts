/** The diff of a task on its page: by file, with coloured lines, readable on a phone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER_TEST_MS, CHROMIUM, TestBrowser } from '../support/http/browser.ts';
import { freePort } from '../support/process/free-port.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';
import { until } from '../support/until.ts';
import { TestRepository } from '../support/workspaces/repository.ts';

const TASK = '/api/projects/demo/tasks/t1';

describe.skipIf(CHROMIUM === null)('the diff of a task', { timeout: BROWSER_TEST_MS }, () => {
  let repository: TestRepository;
  let sandbox: Sandbox;

  beforeAll(async () => {
    repository = await TestRepository.create({ 'a.txt': 'one\ntwo\n', 'old.txt': 'x\n'.repeat(9) });
    const script = 'sed -i "s/two/<b>2<\\/b>/" a.txt; git mv old.txt new.txt; printf "\\0" > image';
    const workspace = { repository: repository.path };
    const coder = { driver: 'command', command: ['sh', '-c', script], workspace };
    sandbox = await Sandbox.create({ config: { agents: { coder } }, port: await freePort() });
    await sandbox.up();
    await sandbox.post('/api/projects/demo/tasks', { id: 't1', title: 'Change it', agent: 'coder' });
    const isInReview = async (): Promise<boolean> =>
      ((await (await fetch(`${sandbox.url}${TASK}`)).json()) as { status: string }).status === 'review';
    await until(isInReview, 'the task is in review');
  });
  afterAll(async () => {
    await sandbox?.[Symbol.asyncDispose]();
    await repository?.[Symbol.asyncDispose]();
  });

  it.each([390, 1_440])('shows each file with its lines, %i pixels wide', async (width) => {
    await using browser = await TestBrowser.launch();
    const page = await browser.open(`${sandbox.url}/ui/projects/demo/tasks/t1`, {
      viewport: { width, height: 844 },
    });
    const files = page.locator('.diff-file');
    await files.first().waitFor();
    expect(await files.count()).toBe(3);
    const lines = async (change: string): Promise<string[]> =>
      (await page.locator(`.diff-line[data-change="${change}"]`).allInnerTexts()).map((line) => line.trim());
    expect(await lines('added')).toEqual(['+<b>2</b>']);
    expect(await lines('removed')).toEqual(['-two']);
    expect(await page.locator('.task-diff').innerText()).toContain('old.txt → new.txt');
    expect(await page.locator('.task-diff').innerText()).toContain('binary: "image" (1 bytes)');
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    const shot = process.env.SIGNALBOX_TEST_SCREENSHOTS;
    if (shot) await page.locator('.task-diff').screenshot({ path: `${shot}/diff-${width}.png` });
  });
});
