/**
 * A real browser on the dashboard. Chromium is the system's own (`SIGNALBOX_TEST_CHROMIUM` names another program); where
 * there is none the tests of the dashboard are left out, unless `SIGNALBOX_TEST_BROWSER=required`.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The program; null where there is none. */
export const CHROMIUM: string | null = findChromium();

/** Nothing but the page under test is asked for. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @throws where none is there, and there has to be one */
function findChromium(): string | null {
  const { SIGNALBOX_TEST_CHROMIUM: named, SIGNALBOX_TEST_BROWSER: wanted, PATH = '' } = process.env;
  const candidates = named
    ? [named]
    : PATH.split(delimiter).flatMap((folder) => PROGRAMS.map((name) => join(folder, name)));
  const found = candidates.find(isExecutable) ?? null;
  if (found === null && (named || wanted === 'required')) {
    throw new Error(`no Chromium (${named ?? PROGRAMS.join(', ')}): "apt-get install chromium" brings one`);
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A browser with pages of one test; every error in a page is a failure of the test. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #errors: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<TestBrowser> {
    return new TestBrowser(
      await chromium.launch({ executablePath: CHROMIUM ?? '', args: ARGUMENTS, headless: true }),
    );
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1_440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#errors.push(String(error)));
    page.on('dialog', (dialog) => {
      this.#errors.push(`a dialog was opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // A server that is not there, or refuses, is what some tests are about.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.#errors.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(url).origin)) this.#errors.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    return page;
  }

  /** Nothing went wrong in any page: no error, nothing that the policy refused, no request to anywhere else. */
  expectNoErrors(): void {
    expect(this.#errors).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** Cards on the board by column, each as `project/id`, the first of a column first. */
export async function columnsOf(page: Page): Promise<Record<string, string[]>> {
  const columns = await page.locator('[data-column]').all();
  const found: Record<string, string[]> = {};
  for (const column of columns) {
    const name = (await column.getAttribute('data-column')) ?? '';
    const cards = await column.locator('[data-task]').all();
    found[name] = await Promise.all(
      cards.map(
        async (card) => `${await card.getAttribute('data-task')} ${await card.getAttribute('data-state')}`,
      ),
    );
  }
  return found;
}

export const card = (page: Page, task: string) => page.locator(`.card[data-task="${task}"]`);
