/** Attempts that fail, in simulated time: when the next one is due, how often, and how often not. */
import { describe, expect, it } from 'vitest';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const BACKOFF = { initial_seconds: 10, factor: 3, max_seconds: 60, jitter: 0 };

/** Milliseconds between the end of each attempt and the claim of the next one. */
function pauses(simulation: Simulation, id: string): number[] {
  const times = (type: string): number[] =>
    simulation
      .eventsOf(id)
      .filter(({ event }) => event.type === type)
      .map(({ time }) => time);
  const claims = times('task.claimed').slice(1);
  return claims.map((time, index) => time - (times('attempt.ended')[index] ?? 0));
}

describe('an attempt that failed', () => {
  it('is tried again after a delay that grows up to its limit, until no attempt is left', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.fails())] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 4, backoff: BACKOFF });
    await simulation.untilState('t', 'failed');
    expect(simulation.task('t')).toMatchObject({ attempts: 4, reason: 'exited with code 1' });
    expect(pauses(simulation, 't')).toEqual([10_000, 30_000, 60_000]);
  });

  it.each([
    ['threw at its start', scripts.throwsAtStart(), 'spawn_failed'],
    ['was killed from outside', scripts.dies(), 'killed'],
    ['brought no output', script({ outputs: [] }), 'failed'],
    ['hung', scripts.hangs(), 'timed_out'],
  ])('is tried again when it %s', async (_name, run, outcome) => {
    const agents = [agent('a', inTurn(run, scripts.succeeds()), { timeoutMs: 5_000 })];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 2 });
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome });
  });

  it('is due at the recorded time, also after a restart', async () => {
    const agents = [agent('a', inTurn(scripts.fails(), scripts.succeeds()))];
    const simulation = await Simulation.begin({ agents, seed: 5 });
    await simulation.create({ id: 't', agent: 'a', backoff: { ...BACKOFF, jitter: 0.9 } });
    await simulation.untilState('t', 'scheduled');
    const due = simulation.find('t', 'attempt.ended')?.retry_at_ms;
    simulation.crash();
    await simulation.restart();
    await simulation.until(() => simulation.typesOf('t').includes('task.due'));
    expect(simulation.clock.now()).toBe(due);
  });

  it('is tried again at once if its time passed while Signalbox was not running', async () => {
    const agents = [agent('a', inTurn(scripts.fails(), scripts.succeeds()))];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', backoff: BACKOFF });
    await simulation.untilState('t', 'scheduled');
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.untilState('t', 'done', 2_000);
  });

  it('tells the next attempt how it ended', async () => {
    const prompts: string[] = [];
    const run = (order: RunRequest) => {
      prompts.push(order.prompt());
      return order.attempt === 1 ? scripts.fails(100, 7) : scripts.succeeds();
    };
    const simulation = await Simulation.begin({ agents: [agent('a', run)] });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'done');
    expect(prompts[1]).toContain('exited with code 7');
  });

  it('attempts/ended-for-certain: is recorded, however large its output and error are', async () => {
    const error = 'x'.repeat(2_000_000);
    const run = script({ result: { kind: 'threw', error } });
    const simulation = await Simulation.begin({ agents: [agent('a', run)] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'failed', 5_000);
    const kept = simulation.find('t', 'attempt.ended')?.error?.length ?? 0;
    expect(kept).toBeGreaterThan(10_000);
    expect(kept).toBeLessThanOrEqual(60_000);
  });

  it('says so if its output is larger than an event can be', async () => {
    const run = script({ outputs: ['x'.repeat(2_000_000)] });
    const simulation = await Simulation.begin({ agents: [agent('a', run)] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'failed', 5_000);
    expect(simulation.task('t').reason).toMatch(
      /^its output was refused: this takes \d+ bytes in the log, and the NATS server takes 900000 at most/,
    );
  });
});

describe('an attempt that met a used-up quota', () => {
  const quotaMs = 90_000;
  const limited = script({ result: { kind: 'exited', code: 1 }, outputs: [], quotaMs });
  const fails = scripts.fails();

  it('uses up none of max_attempts, also over a restart, and numbers go on', async () => {
    const agents = [agent('a', inTurn(limited, limited, limited, fails, fails, fails))];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 3, backoff: BACKOFF });
    await simulation.until(() => simulation.find('t', 'attempt.ended') !== undefined);
    simulation.crash();
    await simulation.restart();
    await simulation.until(() => simulation.task('t').attempts === 4, 400_000);
    expect(simulation.task('t')).toMatchObject({ attemptsUsed: 1, openAttempt: 4 });
    await simulation.untilState('t', 'failed', 400_000);
    expect(simulation.task('t')).toMatchObject({ attempts: 6, attemptsUsed: 3 });
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({
      outcome: 'quota',
      error: 'quota: used up',
    });
    // The backoff begins with the first attempt that counts.
    expect(pauses(simulation, 't').map((ms) => Math.round(ms / 1_000))).toEqual([90, 90, 90, 10, 30]);
  });

  it('does not count as a failure of its agent, nor for a budget of attempts', async () => {
    const breaker = { failures: 2, cooldownMs: 500_000, maxCooldownMs: 500_000 };
    const agents = [agent('a', inTurn(fails, limited, limited, scripts.succeeds()), { breaker })];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', budget: { attempts: 2 } });
    await simulation.untilState('t', 'done', 400_000);
    expect(simulation.task('t')).toMatchObject({ attempts: 4, attemptsUsed: 2 });
  });

  it('of max_attempts: 1 is followed by another one, which a redrive is not needed for', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', inTurn(limited, scripts.succeeds()))] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'done', 400_000);
  });

  it('waits longer and longer for an agent that names a short time again and again', async () => {
    const hasty = script({ result: { kind: 'exited', code: 1 }, outputs: [], quotaMs: 1 });
    const simulation = await Simulation.begin({ agents: [agent('a', hasty)] });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.advance(900_000);
    expect(simulation.task('t').attempts).toBeLessThan(15);
    expect(simulation.task('t').attemptsUsed).toBe(0);
  });
});

describe('a task that a user redrives', () => {
  it('gets as many attempts again, numbered after the earlier ones', async () => {
    const agents = [
      agent('a', inTurn(scripts.fails(), scripts.fails(), scripts.fails(), scripts.succeeds())),
    ];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 2 });
    await simulation.untilState('t', 'failed');
    await simulation.decide('retry', 't');
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(4);
  });
});

describe('a delayed task', () => {
  it('starts when its time has come, also after a restart', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await simulation.create({ id: 't', agent: 'a', delay_seconds: 100 });
    await simulation.advance(50_000);
    simulation.crash();
    await simulation.restart();
    await simulation.until(() => simulation.typesOf('t').includes('task.claimed'));
    expect(simulation.clock.passed).toBeGreaterThanOrEqual(100_000);
    expect(simulation.clock.passed).toBeLessThan(100_100);
  });
});
