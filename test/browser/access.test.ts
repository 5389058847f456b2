/** The dashboard of a Signalbox that requires tokens. */
import { describe, expect, it } from 'vitest';
import { addToken } from '../../src/operations/access/tokens-file.ts';
import { BROWSER_TEST_MS, CHROMIUM, card, TestBrowser } from '../support/http/browser.ts';
import { accessIn } from '../support/http/http.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';
import { until } from '../support/until.ts';

const TASKS = '/api/projects/demo/tasks';

describe.skipIf(CHROMIUM === null)('with tokens', { timeout: BROWSER_TEST_MS }, () => {
  it('asks for a token, shows everything to an observer, and lets only an operator decide', async () => {
    await using sandbox = await Sandbox.create({
      config: {
        server: { tokens_file: 'tokens.json' },
        agents: { worker: { driver: 'command', command: ['echo', 'done'], review: 'manual' } },
      },
    });
    await sandbox.up();
    await sandbox.post(TASKS, { id: 'a', title: 'Look at this', agent: 'worker' });
    const file = accessIn(sandbox.directory);
    const observer = await addToken(file, 'wall', 'observer', Date.now());
    const admin = await addToken(file, 'ann', 'admin', Date.now());
    await until(
      async () => (await fetch(`${sandbox.url}/api/board`)).status === 401,
      'access requires a token',
    );
    await using browser = await TestBrowser.launch();
    const page = await browser.open(`${sandbox.url}/ui/board`);
    const enter = async (token: string): Promise<void> => {
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };

    await enter('no-such-token');
    await page.getByText('The token was not accepted').waitFor();
    await enter(observer);
    await card(page, 'demo/a').waitFor();
    // The token is in no address and no cookie.
    expect(page.url()).not.toContain(observer);
    expect(await page.context().cookies()).toEqual([]);
    await card(page, 'demo/a').click();
    await page.locator('.head-state').getByText('review', { exact: true }).waitFor();
    // The page does not offer what the server would refuse.
    await page.getByRole('button', { name: 'Approve: Look at this' }).waitFor({ state: 'detached' });
    expect(await page.getByLabel('Add a comment').count()).toBe(0);

    await page.keyboard.type('gq');
    await page.getByRole('link', { name: 'worker' }).waitFor();
    expect(await page.getByRole('button', { name: /^Pause/ }).count()).toBe(0);
    await page.goBack();

    // Another token replaces the one of this tab.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await enter(admin);
    await page.getByRole('button', { name: 'Approve: Look at this' }).click();
    await page.locator('.head-state').getByText('done', { exact: true }).waitFor();
    // The log names the holder of the token.
    await page.locator('.timeline').getByText('ann', { exact: true }).waitFor();
    browser.expectNoErrors();
  });
});
