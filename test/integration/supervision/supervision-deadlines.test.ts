/** Deadlines in simulated time: of attempts, of tasks, over restarts and changes of the clock. */
import { describe, expect, it } from 'vitest';
import { agent } from '../../support/simulation/agent.ts';
import { scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

function inSeconds(simulation: Simulation, seconds: number): string {
  return new Date(simulation.clock.now() + seconds * 1_000).toISOString();
}

describe('the deadline of an attempt', () => {
  it('ends a run that hangs, however it reacts to the stop', async () => {
    const agents = [agent('a', { ...scripts.hangs(), stopMs: 9_999_999 }, { timeoutMs: 30_000 })];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.advance(30_000);
    expect(simulation.task('t').state).toBe('working');
    await simulation.advance(1_100);
    expect(simulation.task('t')).toMatchObject({ state: 'failed', lastOutcome: 'timed_out' });
    expect(simulation.processes.alive()).toEqual([]);
  });

  it('is the same after a restart', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.hangs(), { timeoutMs: 100_000 })],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'working');
    const deadline = simulation.app.state.projections.attempts.byTask.get('demo/t')?.[0]?.deadline;
    await simulation.advance(40_000);
    simulation.crash();
    await simulation.advance(20_000);
    await simulation.restart();
    await simulation.until(() => simulation.typesOf('t').includes('attempt.stop_requested'));
    expect(simulation.clock.now()).toBe(deadline);
  });

  it('is enforced at once if it passed while Signalbox was not running', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.hangs(), { timeoutMs: 10_000 })],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'working');
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.untilState('t', 'failed', 1_000);
  });

  it('is noticed within a minute if the clock was set forward', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.hangs(), { timeoutMs: 3_600_000 })],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'working');
    simulation.clock.jump(3_700_000);
    await simulation.untilState('t', 'failed', 62_000);
  });

  it('leaves no timer behind if the run ended before its start was recorded', async () => {
    const quick = { ...scripts.succeeds(1), startMs: 0 };
    const simulation = await Simulation.begin({ agents: [agent('a', quick)], storeMs: 200 });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'done');
    await simulation.advance(1_000);
    expect(simulation.clock.size).toBe(0);
  });
});

describe('expires_at', () => {
  it('ends a task that is not claimed by then, pending or scheduled', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.hangs())] });
    await simulation.create({ id: 'first', agent: 'a' });
    await simulation.create({ id: 'pending', agent: 'a', expires_at: inSeconds(simulation, 20) });
    const expires_at = inSeconds(simulation, 20);
    await simulation.create({ id: 'delayed', agent: 'a', depends_on: ['first'], expires_at });
    await simulation.advance(19_900);
    expect(simulation.task('pending').state).toBe('pending');
    await simulation.advance(200);
    expect(simulation.task('pending').state).toBe('expired');
    expect(simulation.task('delayed').state).toBe('expired');
  });

  it('that leaves no time to start is refused', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    const create = (seconds: number) =>
      simulation.create({ agent: 'a', delay_seconds: 5, expires_at: inSeconds(simulation, seconds) });
    await expect(create(-1)).rejects.toThrow(/^expires_at: .* is in the past: give a later time$/);
    await expect(create(4)).rejects.toThrow(
      /^expires_at: .* is not after .*, before which the task may not start/,
    );
  });

  it('has no effect once the task is claimed', async () => {
    const agents = [agent('a', ({ attempt }) => (attempt === 1 ? scripts.fails() : scripts.succeeds()))];
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', agent: 'a', expires_at: inSeconds(simulation, 0.5) });
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(2);
  });

  it('that passed while Signalbox was not running expires the task instead of starting it', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await simulation.create({ id: 't', agent: 'a', delay_seconds: 5, expires_at: inSeconds(simulation, 10) });
    simulation.crash();
    await simulation.advance(30_000);
    await simulation.restart();
    await simulation.advance(1_000);
    expect(simulation.task('t').state).toBe('expired');
    expect(simulation.typesOf('t')).not.toContain('task.claimed');
  });

  it('does not expire a task again that was redriven', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(50_000))] });
    await simulation.create({ id: 'first', agent: 'a' });
    await simulation.create({ id: 't', agent: 'a', expires_at: inSeconds(simulation, 10) });
    await simulation.untilState('t', 'expired');
    await simulation.decide('retry', 't');
    await simulation.untilState('t', 'done');
    expect(simulation.typesOf('t').filter((type) => type === 'task.expired')).toHaveLength(1);
  });
});
