/** Time travel: the slider shows the board as it was at any moment. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { BoardAnswer } from '../../src/contracts/api/board.ts';
import { BROWSER_TEST_MS, CHROMIUM, columnsOf, TestBrowser } from '../support/http/browser.ts';
import { Sandbox } from '../support/process/signalbox-process.ts';

const TASKS = '/api/projects/demo/tasks';
const CONFIG = {
  defaults: { review: 'manual' },
  agents: { worker: { driver: 'command', command: ['sh', '-c', 'echo done'] } },
};

/** The cards on the page, by column, and their texts. */
async function seen(page: Page): Promise<{ columns: Record<string, string[]>; text: string[] }> {
  const notes = await page.locator('.card-title, .card-note, .chip').allInnerTexts();
  return { columns: await columnsOf(page), text: notes };
}

async function place(page: Page): Promise<number> {
  return Number(await page.getByLabel('Position in the log').inputValue());
}

describe.skipIf(CHROMIUM === null)('the slider', { timeout: BROWSER_TEST_MS }, () => {
  it('shows the board of five recorded moments, as it was then and as the API answers', async () => {
    await using sandbox = await Sandbox.create({ config: CONFIG });
    await sandbox.up();
    await using browser = await TestBrowser.launch();
    const page = await browser.open(`${sandbox.url}/ui/board`);
    const add = (id: string, more: object = {}): Promise<Response> =>
      sandbox.post(TASKS, { id, title: `Task ${id}`, agent: 'worker', ...more });
    const decide = (id: string, verb: string, comment = 'so be it'): Promise<Response> =>
      sandbox.post(`${TASKS}/${id}/${verb}`, { by: 'ann', comment });
    const inColumn = (column: string, id: string): Promise<void> =>
      page.locator(`[data-column="${column}"] [data-task="demo/${id}"]`).waitFor();

    const acts: readonly (() => Promise<void>)[] = [
      async () => {
        await add('a');
        await inColumn('review', 'a');
      },
      async () => {
        await add('b', { delay_seconds: 3_600 });
        await decide('a', 'approve');
        await inColumn('done', 'a');
        await inColumn('scheduled', 'b');
      },
      async () => {
        await sandbox.post('/api/agents/worker/pause', { by: 'ann' });
        await add('c');
        await add('d');
        await decide('d', 'block', 'not before Monday');
        await inColumn('pending', 'c');
        await inColumn('blocked', 'd');
      },
      async () => {
        await decide('b', 'cancel');
        await sandbox.post('/api/agents/worker/resume', { by: 'ann' });
        await inColumn('review', 'c');
        await inColumn('cancelled', 'b');
      },
      async () => {
        await decide('d', 'unblock');
        await inColumn('review', 'd');
      },
    ];
    const moments: { sequence: number; picture: Awaited<ReturnType<typeof seen>>; board: BoardAnswer }[] = [];
    for (const act of acts) {
      await act();
      const board = await sandbox.get<BoardAnswer>('/api/board');
      await expect.poll(() => place(page)).toBe(board.sequence);
      moments.push({ sequence: board.sequence, picture: await seen(page), board });
    }

    for (const index of [2, 0, 4, 1, 3]) {
      const moment = moments[index];
      if (!moment) throw new Error('no such moment');
      const { sequence, picture, board } = moment;
      await page.getByLabel('Position in the log').fill(String(sequence));
      if (index === moments.length - 1) await expect.poll(() => place(page)).toBe(sequence);
      else await page.getByText(`The past: event ${sequence},`).waitFor();
      expect(await seen(page)).toEqual(picture);
      const past = await sandbox.get<BoardAnswer>(`/api/board?at=${sequence}`);
      const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
      expect(past.cards.toSorted(byId)).toEqual(board.cards.toSorted(byId));
      expect([past.counts, past.agents]).toEqual([board.counts, board.agents]);
    }
    // The past offers no decisions, a task is shown as it was, and one key leads back to the present.
    await page.getByLabel('Position in the log').fill(String(moments[0]?.sequence));
    await page.getByText('The past:').waitFor();
    await page.getByRole('link', { name: 'Task a' }).click();
    await page.locator('.head-state').getByText('review', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    await page.keyboard.press('p');
    await page.locator('.head-state').getByText('done', { exact: true }).waitFor();
    browser.expectNoErrors();
  });
});
