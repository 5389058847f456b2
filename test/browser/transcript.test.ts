/** The transcript of an attempt on its page: live, long, and on a phone. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { AttemptAnswer } from '../../src/contracts/api/answers.ts';
import { BROWSER_TEST_MS, CHROMIUM, TestBrowser } from '../support/http/browser.ts';
import { freePort } from '../support/process/free-port.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';
import { until } from '../support/until.ts';

const AGENT = fileURLToPath(new URL('../fixtures/drivers/acp/chatty-acp.mjs', import.meta.url));
const ATTEMPT = '/api/projects/demo/tasks/t1/attempts/1';
const PAGE = '/ui/projects/demo/tasks/t1/attempts/1';
const MB = 1_048_576;

describe.skipIf(CHROMIUM === null)(
  'the transcript on the page of an attempt',
  { timeout: BROWSER_TEST_MS },
  () => {
    let sandbox: Sandbox | undefined;
    afterEach(() => sandbox?.[Symbol.asyncDispose]());

    const start = async (updates: number): Promise<Sandbox> => {
      const command = [process.execPath, AGENT, JSON.stringify({ updates })];
      const teller = { driver: 'acp', command, max_output_bytes: 128 * MB, cwd: '.' };
      sandbox = await Sandbox.create({
        config: { agents: { teller }, defaults: { review: 'auto', max_attempts: 1 }, log: { level: 'warn' } },
        port: await freePort(),
      });
      await sandbox.up();
      return sandbox;
    };
    const run = async (box: Sandbox): Promise<void> => {
      await box.post('/api/projects/demo/tasks', {
        id: 't1',
        title: 'Tell',
        agent: 'teller',
        outputs: 'optional',
      });
    };
    const attemptOf = (box: Sandbox): Promise<AttemptAnswer> => box.get(ATTEMPT);

    it.each([390, 1_440])('is live, folds what is long, and fits %i pixels', async (width) => {
      const box = await start(40);
      await run(box);
      await using browser = await TestBrowser.launch();
      const page = await browser.open(`${box.url}${PAGE}`, { viewport: { width, height: 844 } });
      const view = page.getByRole('region', { name: 'Transcript' });
      await view.getByText('word 39 of a long answer').waitFor();
      const call = view.locator('.transcript-item[data-kind="tool_call"]').first();
      expect(await call.innerText()).toMatch(/^completed\s+search: Look for something, 10/);
      await call.locator('summary').click();
      expect(await call.innerText()).toContain('src/part-10/a.ts:1: something');
      await box.touch('say-1');
      await view.getByText('This is sentence 1.').waitFor();
      expect(
        await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
      ).toBeLessThanOrEqual(0);
      await box.touch('end');
      await page.getByText('End of the transcript.').waitFor();
      await page.getByText('10 tokens read, 5 written').waitFor();
      const shot = process.env.SIGNALBOX_TEST_SCREENSHOTS;
      if (shot) await page.screenshot({ path: `${shot}/transcript-${width}.png` });
      browser.expectNoErrors();
    });

    it('of 200,000 updates opens in a second, follows live, and takes little memory', async () => {
      const box = await start(200_000);
      await using browser = await TestBrowser.launch();
      // Idle, with the dashboard open.
      const page = await browser.open(`${box.url}/ui/`);
      await page.getByRole('link', { name: 'Board' }).first().waitFor();
      const idle = residentBytes(box.pid);
      let peak = idle;
      const watch = setInterval(() => {
        peak = Math.max(peak, residentBytes(box.pid));
      }, 50);
      try {
        await run(box);
        const newest = async (): Promise<string> =>
          JSON.stringify(await box.get(`${ATTEMPT}/transcript?before=end&limit=5`));
        await until(
          async () => (await newest()).includes('Look for something, 200000'),
          'all is said',
          90_000,
        );
        const view = page.getByRole('region', { name: 'Transcript' });
        const times: number[] = [];
        for (let look = 0; look < 3; look++) {
          await page.goto(`${box.url}/ui/`);
          const begun = performance.now();
          await page.goto(`${box.url}${PAGE}`);
          await view.getByText('word 199999 of a long answer').waitFor();
          times.push(Math.round(performance.now() - begun));
        }
        for (const number of [1, 2, 3]) {
          await box.touch(`say-${number}`);
          await view.getByText(`This is sentence ${number}.`).waitFor();
        }
        await view.getByRole('button', { name: 'Show what was before' }).click();
        await view.getByText('word 198801 of a long answer').waitFor();
        await box.touch('end');
        await page.getByText('End of the transcript.').waitFor();
        const { transcript } = await attemptOf(box);
        expect(transcript).toMatchObject({ dropped_bytes: 0 });
        expect(transcript?.lines).toBeGreaterThan(200_000);
        const grown = Math.round((peak - idle) / MB);
        expect(Math.min(...times), `opened in ${times.join(', ')} ms`).toBeLessThan(1_000);
        expect(grown, 'MiB above idle').toBeLessThan(100);
        browser.expectNoErrors();
      } finally {
        clearInterval(watch);
      }
    });
  },
);

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}
