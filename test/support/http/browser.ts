/**
 * A real browser on the dashboard. Chromium is the system's own (`SIGNALBOX_TEST_CHROMIUM` names another program). Without
 * one, the tests of the dashboard are skipped, unless `SIGNALBOX_TEST_BROWSER=required`.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { findChromium, launchChromium } from '../../../bench/support/chromium.ts';

/** The program; null if there is none. */
export const CHROMIUM: string | null = findChromium();

const { SIGNALBOX_TEST_CHROMIUM: named, SIGNALBOX_TEST_BROWSER: wanted } = process.env;
if (CHROMIUM === null && (named || wanted === 'required')) {
  throw new Error(`no Chromium ${named ?? 'on the PATH'}: "apt-get install chromium" brings one`);
}

/** Milliseconds for a test in a browser: on two cores, beside other tests, a page takes its time. */
export const BROWSER_TEST_MS = 120_000;

/** Milliseconds that a test waits for something to appear on a page. */
const WAIT_MS = 60_000;

/** One Chromium for all test files of a process; it ends with the process. */
let chromium: Promise<Browser> | undefined;

/** The pages of one test; every error in a page is a failure of the test. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  readonly #errors: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<TestBrowser> {
    chromium ??= launchChromium(CHROMIUM ?? '');
    return new TestBrowser(await chromium);
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1_440, height: 900 }, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    page.on('pageerror', (error) => this.#errors.push(String(error)));
    page.on('dialog', (dialog) => {
      this.#errors.push(`a dialog was opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // Some tests are about a server that is down or refuses requests.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.#errors.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin)) this.#errors.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    return page;
  }

  /** Expects that no page had an error, violated the content policy or sent a request to another server. */
  expectNoErrors(): void {
    expect(this.#errors).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
  }
}

/** Cards on the board by column, each as `project/id`, the first of a column first. */
export async function columnsOf(page: Page): Promise<Record<string, string[]>> {
  const look = `Object.fromEntries(
    [...document.querySelectorAll('[data-column]')].map(({ dataset }) => [
      dataset.column,
      [...document.querySelectorAll('[data-column="' + dataset.column + '"] [data-task]')].map(
        (card) => card.dataset.task + ' ' + card.dataset.state,
      ),
    ]),
  )`;
  return (await page.evaluate(look)) as Record<string, string[]>;
}

export const card = (page: Page, task: string) => page.locator(`.card[data-task="${task}"]`);
