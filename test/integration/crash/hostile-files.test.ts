/**
 * A Signalbox whose files are replaced by something else, at every stage of an attempt: it answers, enforces its limits,
 * frees its slots, stops and starts.
 */
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { casesOf } from '../../support/hostile/cases.ts';
import { HOSTILE_KINDS, type HostileKind, replaceBy } from '../../support/hostile/kinds.ts';
import { type HostileAttempt, HostileLab, inParallel } from '../../support/hostile/lab.ts';
import { survivors } from '../../support/process/processes.ts';

/** A blocked Signalbox never answers, one that is not answers in milliseconds; the rest is for a busy machine. */
const MAX_ANSWER_MS = 8_000;
const MAX_STOP_MS = 30_000;
const MAX_START_MS = 60_000;
/** How much later than its limit an attempt may end, with a hundred others at the same time. */
const MAX_LATE_MS = 60_000;
const MAX_END_MS = 60_000;

const CASES = {
  starting: casesOf('starting'),
  running: casesOf('running'),
  reported: casesOf('reported'),
  stopping: casesOf('stopping'),
  ended: casesOf('ended'),
  stopped: casesOf('stopped'),
};

/** It runs all the time. */
const WRITER = { id: 'writes', agent: 'writer' };

/** Each ended as it should, and not later than it should. */
function expectEnds(attempts: readonly HostileAttempt[], outcome: string): void {
  for (const attempt of attempts) {
    expect(attempt).toMatchObject({ outcome });
    if (outcome !== 'timed_out') continue;
    const lateMs = Date.parse(attempt.ended_at ?? '') - Date.parse(attempt.deadline ?? '');
    expect(lateMs).toBeLessThan(MAX_LATE_MS);
  }
}

/** What the replaced attempts do until the time of all is over. */
async function whileRunning(lab: HostileLab): Promise<void> {
  const { starting, running, reported, stopping, ended, stopped } = CASES;
  await lab.haveBegun([WRITER, ...running, ...reported, ...stopping, ...ended, ...stopped]);
  await inParallel(reported, async ({ id }) => {
    const output = { type: 'data', title: 'Result', content: '1' };
    expect((await lab.write(id, 'outputs', output)).status).toBe(201);
    expect((await lab.write(id, 'status', { status: 'review' })).status).toBe(200);
  });
  await inParallel(stopping, async ({ id }) => {
    expect((await lab.sandbox.post(`/api/projects/demo/tasks/${id}/cancel`, {})).status).toBe(200);
  });
  await lab.haveEnded(ended, MAX_END_MS);
  await lab.replace([...running, ...reported, ...stopping, ...ended]);
  await lab.readEverything([...starting, ...running, ...reported, ...stopping, ...ended]);
  expectEnds(await lab.haveEnded(reported, MAX_END_MS), 'completed');
  expectEnds(await lab.haveEnded(stopping, MAX_END_MS), 'cancelled');
  expectEnds(await lab.haveEnded(running, MAX_END_MS), 'timed_out');
  await lab.haveEnded(starting, MAX_END_MS);
}

/** What Signalbox reads or writes besides the files of attempts: the store of contents, and the files that agents name. */
async function contentIsReplaced(lab: HostileLab): Promise<void> {
  const place = lab.dataPath('attempts', 'demo', WRITER.id, '1', 'work');
  const store = lab.dataPath('content');
  const file = join(place, 'result.txt');
  const post = (content_path: string) =>
    lab.write(WRITER.id, 'outputs', { type: 'data', title: 'A', content_path });
  for (const kind of HOSTILE_KINDS) {
    await replaceBy(kind, [file]);
    expect((await post(file)).status).toBeGreaterThanOrEqual(400);
    await rm(file, { recursive: true, force: true });
    await writeFile(file, `content for ${kind}`);
    await replaceBy(kind, [store]);
    expect((await post(file)).status).toBe(kind === 'directory' || kind === 'nothing' ? 201 : 422);
    await rm(store, { recursive: true, force: true });
    expect((await post(file)).status).toBe(201);
  }
}

/** The file changes between one and something else while Signalbox opens and copies it. */
async function contentIsSwapped(lab: HostileLab): Promise<void> {
  const place = lab.dataPath('attempts', 'demo', WRITER.id, '1', 'work');
  const others: HostileKind[] = ['fifo', 'device-link', 'link', 'huge'];
  await Promise.all(others.map((kind) => replaceBy(kind, [join(place, kind)])));
  const file = join(place, 'swapped.txt');
  let isOver = false;
  const swapping = (async () => {
    for (let turn = 0; !isOver; turn++) {
      await writeFile(join(place, 'next'), 'a file');
      await rename(join(place, 'next'), file);
      const other = others[turn % others.length] ?? 'fifo';
      // A second name of the same thing: none of them has to be made again.
      await link(join(place, other), join(place, 'next'));
      await rename(join(place, 'next'), file);
    }
  })();
  const statuses = await Promise.all(
    Array.from({ length: 100 }, () =>
      lab
        .write(WRITER.id, 'outputs', { type: 'data', title: 'A', content_path: file })
        .then(({ status }) => status),
    ),
  );
  isOver = true;
  await swapping;
  expect(statuses.filter((status) => ![201, 413, 422].includes(status))).toEqual([]);
}

/** Where agents work, and where all attempts are, when the next attempts begin. */
async function placesAreReplaced(lab: HostileLab): Promise<void> {
  const attempts = lab.dataPath('attempts');
  for (const kind of HOSTILE_KINDS) {
    await replaceBy(kind, [lab.pathOf('house')]);
    await rename(attempts, `${attempts}.aside`);
    await replaceBy(kind, [attempts]);
    const tasks = ['housed', 'brief'].map((agent) => ({ id: `next-${kind}-${agent}`, agent }));
    await lab.create(tasks);
    await lab.haveEnded(tasks, MAX_END_MS);
    await rm(attempts, { recursive: true, force: true });
    await rename(`${attempts}.aside`, attempts);
  }
  await replaceBy('directory', [lab.pathOf('house')]);
}

/** Stops Signalbox, and starts it when something else was put in the place of what it reads then. */
async function restart(lab: HostileLab, replace: () => Promise<void>): Promise<void> {
  const { sandbox } = lab;
  const began = performance.now();
  expect((await sandbox.kill('SIGTERM')).code).toBe(0);
  const stopped = performance.now();
  expect(stopped - began).toBeLessThan(MAX_STOP_MS);
  await replace();
  const starting = performance.now();
  await sandbox.up();
  expect(performance.now() - starting).toBeLessThan(MAX_START_MS);
}

/** All kinds at once as snapshots, each newer than the one that is good; then in the place of all snapshots. */
async function startsAreUnharmed(lab: HostileLab): Promise<void> {
  const snapshots = lab.dataPath('snapshots');
  await restart(lab, async () => {
    await lab.replace(CASES.stopped);
    for (const [index, kind] of HOSTILE_KINDS.entries()) {
      await replaceBy(kind, [join(snapshots, `900000000000000${index}.snapshot`)]);
    }
  });
  for (const kind of ['fifo', 'huge'] as const) {
    await restart(lab, () => replaceBy(kind, [snapshots, lab.dataPath('content')]));
  }
}

/** What is left when everything is over: nothing that runs, and slots for what comes. */
async function goesOn(lab: HostileLab): Promise<void> {
  await lab.sandbox.post(`/api/projects/demo/tasks/${WRITER.id}/cancel`, {});
  expectEnds(await lab.haveEnded([WRITER], MAX_END_MS), 'cancelled');
  const last = ['housed', 'brief'].map((agent) => ({ id: `last-${agent}`, agent }));
  await lab.create(last);
  expectEnds(await lab.haveEnded(last, MAX_END_MS), 'completed');
  expect(await lab.sandbox.get('/health')).toMatchObject({ ready: true, open_attempts: 0 });
  expect(await survivors(lab.sandbox.directory)).toEqual([]);
}

describe('files and folders that are replaced by something else', () => {
  it('block nothing, at any stage of an attempt', { timeout: 300_000 }, async () => {
    await using lab = await HostileLab.start();
    await lab.launchShellIsUsed();
    await lab.during(async () => {
      await lab.replace(CASES.starting);
      await lab.create([...Object.values(CASES).flat(), WRITER]);
      await whileRunning(lab);
      await contentIsReplaced(lab);
      await contentIsSwapped(lab);
      await placesAreReplaced(lab);
    });
    await startsAreUnharmed(lab);
    await lab.during(async () => {
      expectEnds(await lab.haveEnded(CASES.stopped, MAX_END_MS), 'timed_out');
      await lab.readEverything(CASES.stopped);
      await goesOn(lab);
    });
    await restart(lab, async () => {});
    // The figures, for those who want to see them.
    if (process.env.SIGNALBOX_TEST_FIGURES !== undefined) process.stderr.write(JSON.stringify(lab.times));
    for (const { maxMs, refusals } of lab.times) {
      expect(refusals).toEqual([]);
      expect(maxMs).toBeLessThan(MAX_ANSWER_MS);
    }
  });
});
