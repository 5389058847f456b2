/** Schedules in simulated time: overlap, catch-up, pauses. */
import { describe, expect, it } from 'vitest';
import {
  backfillSchedule,
  decideSchedule,
  readSchedule,
  registerSchedules,
  type ScheduleDecision,
} from '../../../src/app/schedules/schedules.ts';
import { createTask } from '../../../src/app/tasks/create-task.ts';
import { createTaskSchema } from '../../../src/contracts/api/requests.ts';
import { scheduleConfigSchema } from '../../../src/contracts/api/schedules.ts';
import { keyedTaskId } from '../../../src/engine/runtime/task-ids.ts';
import { firingKey } from '../../../src/engine/supervisor/schedules/recurrence.ts';
import { created, HOUR_MS, MINUTE_MS, nominals, schedule, states, takes } from '../../support/schedules.ts';
import { agent } from '../../support/simulation/agent.ts';
import { scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const decide = (simulation: Simulation, decision: ScheduleDecision) =>
  simulation.answer(decideSchedule(simulation.app, 's', decision, {}, 'user:test'));

describe('a schedule', () => {
  it('creates a task at each of its times, with the time in its title', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    await schedule(simulation, { every_seconds: 600 });
    await simulation.advance(35 * MINUTE_MS);
    const times = nominals(simulation);
    expect(times).toHaveLength(3);
    for (const time of times) expect(time % (10 * MINUTE_MS)).toBe(0);
    expect(created(simulation)[0]?.spec.title).toBe(`Report of ${new Date(times[0] ?? 0).toISOString()}`);
    const { next, runs, counts } = readSchedule(simulation.app, 's');
    expect(Date.parse(next[0] ?? '')).toBe((times[2] ?? 0) + 10 * MINUTE_MS);
    expect(runs.map(({ task_status }) => task_status)).toEqual(['done', 'done', 'done']);
    expect(counts.fired).toBe(3);
  });

  it('with a jitter creates each task later, but not after the jitter', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    await schedule(simulation, { every_seconds: 120, jitter_seconds: 100 });
    await simulation.advance(9 * MINUTE_MS);
    const delays = simulation.records.flatMap(({ event, time }) =>
      event.type === 'schedule.fired' ? [time - event.nominal_ms] : [],
    );
    expect(delays.length).toBeGreaterThanOrEqual(3);
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(100_100);
    expect(Math.max(...delays)).toBeGreaterThan(1_000);
  });

  it.each([
    ['skip', { tasks: 2, skipped: 3, waiting: 0, atOnce: 1 }],
    ['buffer_one', { tasks: 2, skipped: 2, waiting: 1, atOnce: 1 }],
    ['buffer_all', { tasks: 2, skipped: 0, waiting: 3, atOnce: 1 }],
    ['allow_all', { tasks: 5, skipped: 0, waiting: 0, atOnce: 3 }],
    ['cancel_other', { tasks: 5, skipped: 0, waiting: 0, atOnce: 1 }],
  ] as const)('with overlap %s', async (overlap, expected) => {
    const simulation = await Simulation.begin({ agents: takes(2.6 * MINUTE_MS) });
    await schedule(simulation, { overlap, every_seconds: 60 });
    const end = simulation.clock.now() + 5.2 * MINUTE_MS;
    let atOnce = 0;
    while (simulation.clock.now() < end) {
      await simulation.advance(5_000);
      atOnce = Math.max(atOnce, states(simulation).filter((state) => state === 'working').length);
    }
    const { counts, waiting } = readSchedule(simulation.app, 's');
    const tasks = created(simulation).length;
    expect({ tasks, skipped: counts.skipped, waiting: waiting.length, atOnce }).toEqual(expected);
    if (overlap === 'cancel_other')
      expect(states(simulation).slice(0, 4)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  });

  it.each([
    ['one', {}, 1],
    ['all', {}, 3],
    ['all', { catch_up_window_seconds: 5_000 }, 1],
    ['one', { catch_up_window_seconds: 60 }, 0],
  ] as const)('makes up for three hours of downtime: %s, %o', async (catch_up, more, tasks) => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    // With the default overlap policy the times after the first would meet its task, and be skipped.
    await schedule(simulation, { catch_up, overlap: 'buffer_all', ...more });
    // Half past, so that no time is near the start.
    await simulation.advance(1.5 * HOUR_MS - (simulation.clock.now() % HOUR_MS));
    const before = created(simulation).length;
    simulation.crash();
    await simulation.advance(3 * HOUR_MS);
    await simulation.restart();
    await simulation.advance(60_000);
    expect(created(simulation).length - before).toBe(tasks);
    await simulation.advance(HOUR_MS);
    expect(created(simulation).length - before).toBe(tasks + 1);
    expect(new Set(nominals(simulation)).size).toBe(created(simulation).length);
  });

  it('pauses when one of its tasks fails, and goes on when it is resumed', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.fails(1_000))] });
    await schedule(simulation, { every_seconds: 60, pause_on_failure: true });
    await simulation.advance(4 * MINUTE_MS);
    expect(created(simulation)).toHaveLength(1);
    const paused = readSchedule(simulation.app, 's');
    expect(paused).toMatchObject({ status: 'paused', next: [] });
    expect(paused.reason).toContain('failed');
    await decide(simulation, 'resume');
    await simulation.advance(MINUTE_MS);
    expect(created(simulation)).toHaveLength(2);
  });

  it('can be triggered, also while it is paused, and removed', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    await schedule(simulation, { every_seconds: 60 });
    await decide(simulation, 'pause');
    await expect(decide(simulation, 'pause')).rejects.toThrow('schedule s is paused: pause is for');
    await decide(simulation, 'trigger');
    await simulation.advance(10_000);
    expect(states(simulation)).toEqual(['done']);
    await decide(simulation, 'remove');
    await simulation.advance(3 * MINUTE_MS);
    expect(created(simulation)).toHaveLength(1);
    expect(() => readSchedule(simulation.app, 's')).toThrow(
      expect.objectContaining({ code: 'schedule_not_found' }),
    );
  });

  it('backfills a day, one after the other, and leaves out what has a task', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    await schedule(simulation, { overlap: 'buffer_all' });
    await simulation.advance(2 * HOUR_MS);
    const range = {
      from: new Date(simulation.clock.now() - 24 * HOUR_MS).toISOString(),
      until: new Date(simulation.clock.now()).toISOString(),
    };
    const first = await simulation.answer(backfillSchedule(simulation.app, 's', range, 'user:test'));
    expect(first).toMatchObject({ added: 23, known: 2 });
    await simulation.advance(600_000);
    const times = nominals(simulation);
    expect(times).toHaveLength(25);
    expect(new Set(times).size).toBe(25);
    const again = await simulation.answer(backfillSchedule(simulation.app, 's', range, 'user:test'));
    expect(again).toMatchObject({ added: 0, known: 25 });
  });

  it('backfills days of its zone, and refuses a range that is empty or to come', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    await schedule(simulation, { every_seconds: undefined, cron: '0 * * * *', zone: 'Asia/Kathmandu' });
    const backfill = (from: string, until: string) =>
      simulation.answer(backfillSchedule(simulation.app, 's', { from, until }, 'user:test'));
    // 2025-12-30T18:15Z is midnight in Kathmandu.
    expect(await backfill('2025-12-30', '2025-12-30')).toMatchObject({ added: 24 });
    await simulation.advance(HOUR_MS / 2);
    const past = nominals(simulation).filter((time) => time < Date.parse('2025-12-31T00:00Z'));
    expect([past.length, past[0], past.at(-1)]).toEqual([
      24,
      Date.parse('2025-12-29T18:15Z'),
      Date.parse('2025-12-30T17:15Z'),
    ]);
    await expect(backfill('2025-12-30', '2025-12-29')).rejects.toThrow('until: 2025-12-29 is before "from"');
    await expect(backfill('2030-01-01', '2030-01-02')).rejects.toThrow('from: 2030-01-01 has not come yet');
  });

  it('ends after its only time', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    const at = new Date(simulation.clock.now() + 90_000).toISOString();
    await schedule(simulation, { every_seconds: undefined, at });
    await simulation.advance(5 * MINUTE_MS);
    expect(states(simulation)).toEqual(['done']);
    expect(readSchedule(simulation.app, 's').status).toBe('finished');
    // The same request, repeated after its time, is answered and not refused.
    await schedule(simulation, { every_seconds: undefined, at });
    expect(created(simulation)).toHaveLength(1);
  });

  it('keeps the keys and the ids of its tasks for itself', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    const key = firingKey('s', Math.ceil((simulation.clock.now() + 1) / HOUR_MS) * HOUR_MS);
    const id = keyedTaskId('demo', key);
    await expect(simulation.create({ agent: 'a', idempotency_key: key })).rejects.toThrow(
      'is reserved for Signalbox',
    );
    const own = await simulation.create({ agent: 'a' });
    const attempt = { project: 'demo', task: own.id, attempt: 1 };
    const request = createTaskSchema.parse({ id, title: 'first', agent: 'a' });
    const byAgent = createTask(simulation.app, 'demo', request, { actor: 'agent:a', attempt });
    await expect(simulation.answer(byAgent)).rejects.toThrow(`the id ${id} is reserved for Signalbox`);

    // A person may take any id. Then nothing is created in the name of the schedule, and it says why.
    await simulation.create({ id, agent: 'a' });
    await schedule(simulation);
    await simulation.advance(HOUR_MS);
    expect(created(simulation)).toEqual([]);
    expect(readSchedule(simulation.app, 's')).toMatchObject({
      status: 'paused',
      reason: `task ${id} exists already and is not one of its tasks`,
    });
  });

  it('follows the configuration', async () => {
    const simulation = await Simulation.begin({ agents: takes(1_000) });
    const config = { every_seconds: 60, project: 'demo', task: { title: 't', agent: 'a' } };
    const register = (configured: Record<string, unknown>) =>
      simulation.answer(
        registerSchedules(
          simulation.app,
          Object.fromEntries(
            Object.entries(configured).map(([id, each]) => [id, scheduleConfigSchema.parse(each)]),
          ),
        ),
      );
    await register({ s: config });
    await register({ s: config });
    const count = (): number =>
      simulation.records.filter(({ event }) => event.type === 'schedule.created').length;
    expect(count()).toBe(1);
    await register({ s: { ...config, every_seconds: 120 } });
    expect(count()).toBe(2);
    expect(readSchedule(simulation.app, 's').every_seconds).toBe(120);
    await register({});
    expect(() => readSchedule(simulation.app, 's')).toThrow('there is no schedule s');
  });
});
