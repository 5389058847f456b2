/** The board with many tasks in a real browser: time to paint it, and time to show a change, both measured in the page. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { Engine } from '../../src/app/engine/engine.ts';
import { createTask } from '../../src/app/tasks/create-task.ts';
import { findChromium, launchChromium } from '../support/chromium.ts';
import { openBenchEngine, PROJECT, request } from '../support/engine.ts';
import { atMost, type Figure, shown } from '../support/figure.ts';
import { serveEngine } from '../support/serve.ts';
import { startBenchServer } from '../support/server.ts';

const TASKS = 5_000;
const LOADS = 5;
const UPDATES = 20;
const HOUR_SECONDS = 3_600;
const LOOK_MS = 50;

/** Records in the page when the first card was painted. */
const NOTE_FIRST_CARD = `new MutationObserver((_, observer) => {
  if (!document.querySelector('.card')) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.firstCard = performance.now(); }));
}).observe(document, { childList: true, subtree: true });`;

export async function dashboard(): Promise<Figure[]> {
  const program = findChromium();
  if (program === null) {
    console.log('dashboard: skipped, no Chromium on the PATH');
    return [];
  }
  const server = await startBenchServer();
  const browser = await launchChromium(program);
  try {
    const engine = await openBenchEngine(await server.connect(), server.directory, 1);
    try {
      return await measure(engine, browser);
    } finally {
      await engine.stop('the bench is over');
    }
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function measure(engine: Engine, browser: Browser): Promise<Figure[]> {
  const wait = request({ delay_seconds: HOUR_SECONDS });
  await Promise.all(
    Array.from({ length: TASKS }, (_, index) =>
      createTask(engine.app, PROJECT, { ...wait, id: `t${index}` }, { actor: 'user:bench', attempt: null }),
    ),
  );
  const http = await serveEngine(engine);
  try {
    const paints: number[] = [];
    const updates: number[] = [];
    for (let load = 0; load < LOADS; load++) {
      const context = await browser.newContext({ viewport: { width: 1_440, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(NOTE_FIRST_CARD);
      await page.goto(`${http.url}/ui/board`);
      paints.push(await timeOfFirstCard(page));
      if (load === LOADS - 1) {
        for (let update = 0; update < UPDATES; update++) updates.push(await timeOfUpdate(page, `t${update}`));
      }
      await context.close();
    }
    return [
      {
        key: 'board_5k_paint_ms',
        value: median(paints),
        goal: atMost(1_000),
        note: `${TASKS} tasks: from navigation to the first painted cards, median of ${LOADS} (worst ${shown(Math.max(...paints))})`,
      },
      {
        key: 'board_5k_update_ms',
        value: median(updates),
        goal: atMost(100),
        note: `from the answer to a decision to the card in its new column, median of ${UPDATES} (worst ${shown(Math.max(...updates))})`,
      },
    ];
  } finally {
    await http.close();
  }
}

/** Milliseconds since the navigation. Polls, because the page's content policy forbids code that waits in the page. */
async function timeOfFirstCard(page: Page): Promise<number> {
  for (;;) {
    const at = await page.evaluate('window.firstCard ?? null');
    if (at !== null) return Number(at);
    await sleep(LOOK_MS);
  }
}

/** Blocks a task from within the page. @returns milliseconds until its card has moved */
async function timeOfUpdate(page: Page, task: string): Promise<number> {
  const block = `(async () => {
    const moved = new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector('[data-column="blocked"] [data-task="${PROJECT}/${task}"]')) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      }).observe(document, { childList: true, subtree: true, attributes: true });
    });
    const headers = { 'content-type': 'application/json' };
    await fetch('/api/projects/${PROJECT}/tasks/${task}/block', { method: 'POST', headers, body: '{}' });
    const answered = performance.now();
    return Math.max(0, (await moved) - answered);
  })()`;
  return Number(await page.evaluate(block));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
