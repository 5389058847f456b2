/** Stopping an engine: callers that wait for the log are answered, and an unreachable log does not delay the stop. */
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../support/decisions.ts';
import { agent } from '../../support/simulation/agent.ts';
import { scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const PROJECT = 'demo';

async function givenTask(): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents: [agent('a', scripts.hangs())] });
  await simulation.create({ id: 't', agent: 'a' });
  await simulation.untilState('t', 'working');
  return simulation;
}

async function stop(simulation: Simulation): Promise<void> {
  await simulation.answer(simulation.node?.engine.stop('a test') ?? Promise.resolve());
}

describe('an engine that stops', () => {
  it('records the stop, and leaves its agents running', async () => {
    const simulation = await givenTask();
    await stop(simulation);
    expect(simulation.records.at(-1)?.event).toMatchObject({ type: 'supervisor.stopped', reason: 'a test' });
    expect(simulation.processes.alive()).toHaveLength(1);
  });

  it('answers callers that wait for the log that it has stopped', async () => {
    const simulation = await givenTask();
    const cancelled = cancelTask(simulation.app, { project: PROJECT, task: 't' }, {}, 'user:test');
    const told = cancelled.catch((error: unknown) => error);
    simulation.log.reachable = false;
    await stop(simulation);
    expect(await told).toMatchObject({ code: 'shutting_down' });
  });

  it('waits at most two seconds for a log that has just become unreachable', async () => {
    const simulation = await givenTask();
    const start = simulation.clock.passed;
    const stopped = stop(simulation);
    simulation.log.reachable = false;
    await stopped;
    expect(simulation.clock.passed - start).toBe(2_000);
  });

  it('sets no more timers', async () => {
    const simulation = await givenTask();
    await stop(simulation);
    await simulation.advance(100);
    expect(simulation.clock.size).toBe(0);
  });
});
