/**
 * Time travel: a Signalbox is used by many at once, what its API answers is written down at random moments, and a
 * replay shows the same of each moment: beside the Signalbox that runs, and on its data when it has stopped.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { startUp, type TestUp } from '../../support/process/cli.ts';
import { RecordedTerminal } from '../../support/process/recorded-terminal.ts';

const MOMENTS = 20;
const CONFIG = `
defaults: { max_attempts: 2, review: manual, backoff: { initial_seconds: 0.1 }, kill_grace_seconds: 0.1 }
agents:
  good: { driver: command, command: ["sh", "-c", "sleep 0.05; echo done"], concurrency: 3 }
  bad: { driver: command, command: ["sh", "-c", "echo oh >&2; exit 3"] }
  slow: { driver: command, command: ["sleep", "30"], timeout_seconds: 0.3 }
`;

/** What the API answered, and the sequence at which it was true. */
interface Snapshot {
  readonly sequence: number;
  readonly tasks: readonly TaskAnswer[];
  /** One of them, with all that belongs to it. */
  readonly whole: TaskAnswer | null;
}

/** Waits without asking for more, so that it becomes quiet also on a slow machine. */
let isLooking = false;

/** Answers are true at a sequence where nothing was stored from before the first of them until after the last. */
async function lookAt({ client }: TestUp): Promise<Snapshot> {
  for (;;) {
    const { sequence } = (await client.readHealth()).log;
    const { tasks } = await client.listAllTasks({ limit: 1_000 });
    const one = tasks[Math.floor(Math.random() * tasks.length)];
    const whole = one ? await client.readTask({ project: one.project, task: one.id, expand: ['all'] }) : null;
    if ((await client.readHealth()).log.sequence === sequence) return { sequence, tasks, whole };
  }
}

/** A day of work, in short. */
async function work({ client }: TestUp): Promise<void> {
  const ids: string[] = [];
  for (let round = 0; round < 8; round++) {
    const agents = ['good', 'good', 'bad', 'slow'];
    const agent = agents[round % agents.length] ?? 'good';
    const task = await client.createTask({ project: 'default', title: `task ${round}`, agent });
    ids.push(task.id);
    await client.createTask({
      project: 'other',
      title: 'child',
      agent: 'good',
      ...(round > 0 ? { parent: 'family' } : { id: 'family' }),
    });
    await client.addComment({ project: 'default', task: task.id, author: 'ann', body: `on my way ${round}` });
    do await sleep(60);
    while (isLooking);
    const earlier = ids[Math.floor(Math.random() * ids.length)] ?? '';
    const decision = (['approve', 'cancel', 'block', 'reject'] as const)[round % 4] ?? 'cancel';
    // Not every decision is possible: those that are refused leave no trace.
    const input = { project: 'default', task: earlier, comment: 'because' };
    await client[`${decision}Task`](input).catch(() => {});
  }
}

describe('replay --to', () => {
  let up: TestUp;
  const snapshots = new Map<number, Snapshot>();

  async function replay(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const terminal = new RecordedTerminal();
    const place = ['--config', join(up.directory, 'signalbox.config.yaml')];
    place.push('--data-dir', join(up.directory, '.signalbox'));
    const code = await runProgram(terminal, ['replay', ...args, ...place], {});
    return { code, out: terminal.out, err: terminal.err };
  }

  async function expectTrue({ sequence, tasks, whole }: Snapshot): Promise<void> {
    const board = await replay('--to', String(sequence), '--json');
    expect(board).toMatchObject({ code: 0, err: '' });
    const { sequence: at, tasks: shown } = JSON.parse(board.out) as Snapshot;
    expect({ at, shown }).toEqual({ at: sequence, shown: tasks });
    if (!whole) return;
    const { project, id } = whole;
    const one = await replay(
      '--to',
      String(sequence),
      '--project',
      project,
      '--task',
      id,
      '--events',
      '--json',
    );
    expect((JSON.parse(one.out) as { task: TaskAnswer }).task).toEqual(whole);
  }

  beforeAll(async () => {
    up = await startUp(CONFIG);
    const isEnough = (): boolean => snapshots.size >= MOMENTS;
    const look = async (): Promise<void> => {
      while (!isEnough()) {
        await sleep(Math.random() * 30);
        isLooking = true;
        const snapshot = await lookAt(up).finally(() => {
          isLooking = false;
        });
        snapshots.set(snapshot.sequence, snapshot);
      }
    };
    // Until enough has been seen: how much happens meanwhile depends on the machine.
    const live = async (): Promise<void> => {
      while (!isEnough()) await work(up);
    };
    await Promise.all([look(), live()]);
  }, 120_000);
  afterAll(() => up[Symbol.asyncDispose]());

  it(`equals what the API answered at ${MOMENTS} random moments, while Signalbox runs`, async () => {
    const busy = work(up);
    for (const snapshot of snapshots.values()) await expectTrue(snapshot);
    await busy;
    expect((await up.client.readHealth()).ready).toBe(true);
  });

  it('equals it after Signalbox has stopped, from its data directory', async () => {
    up.process.signal('SIGTERM');
    expect((await up.process.ended).code).toBe(0);
    for (const snapshot of [...snapshots.values()].slice(-3)) await expectTrue(snapshot);
  });
});
