/** The circuit breaker in simulated time: parked after failures in a row, tried with one attempt, closed by success. */
import { describe, expect, it } from 'vitest';
import type { EventOf } from '../../../src/contracts/events/events.ts';
import { agent } from '../../support/simulation/agent.ts';
import type { Script } from '../../support/simulation/script.ts';
import { scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const BREAKER = { failures: 2, cooldownMs: 30_000, maxCooldownMs: 100_000 };

/** Runs scripts in their order, whatever task they are for; the last one again and again. */
function oneAfterTheOther(...list: readonly [Script, ...Script[]]): () => Script {
  let next = 0;
  return () => list[Math.min(next++, list.length - 1)] ?? list[0];
}

async function givenTasks(count: number, run: () => Script, concurrency = 1): Promise<Simulation> {
  const agents = [agent('a', run, { breaker: BREAKER, concurrency })];
  const simulation = await Simulation.begin({ agents });
  for (let index = 1; index <= count; index++) {
    await simulation.create({ id: `t${index}`, agent: 'a', max_attempts: 1 });
  }
  return simulation;
}

function stateOf(simulation: Simulation): string | undefined {
  return simulation.model.stateOf('agent', 'a');
}

function parkings(simulation: Simulation): EventOf<'agent.parked'>[] {
  return simulation.records.flatMap(({ event }) => (event.type === 'agent.parked' ? [event] : []));
}

function claims(simulation: Simulation): number {
  return simulation.records.filter(({ event }) => event.type === 'task.claimed').length;
}

describe('an agent that fails again and again', () => {
  it('is parked after several failures in a row, and claims nothing meanwhile', async () => {
    const simulation = await givenTasks(4, () => scripts.fails());
    await simulation.until(() => stateOf(simulation) === 'parked');
    expect(parkings(simulation)).toMatchObject([{ reason: '2 attempts in a row failed' }]);
    await simulation.advance(29_000);
    expect([stateOf(simulation), claims(simulation)]).toEqual(['parked', 2]);
  });

  it('is tried with one attempt at a time, and parked twice as long if that fails', async () => {
    const simulation = await givenTasks(9, () => scripts.fails(), 3);
    await simulation.until(() => parkings(simulation).length === 4);
    const lengths = parkings(simulation).map(({ until_ms }) => until_ms);
    const times = simulation.records.filter(({ event }) => event.type === 'agent.parked');
    expect(times.map(({ time }, index) => (lengths[index] ?? 0) - time)).toEqual([
      30_000, 60_000, 100_000, 100_000,
    ]);
    // Three before it was parked for the first time, and one for each probe.
    expect(claims(simulation)).toBe(3 + 3);
  });

  it('works as before after a probe that succeeds', async () => {
    const run = oneAfterTheOther(scripts.fails(), scripts.fails(), scripts.succeeds());
    const simulation = await givenTasks(6, run, 2);
    await simulation.until(() => simulation.app.state.projections.blackboard.counts.done === 4);
    expect(parkings(simulation)).toHaveLength(1);
    expect(stateOf(simulation)).toBe('idle');
  });

  it('is not parked for failures that are not in a row', async () => {
    const run = oneAfterTheOther(scripts.fails(), scripts.succeeds(), scripts.fails(), scripts.succeeds());
    const simulation = await givenTasks(4, run);
    await simulation.until(() => simulation.app.state.projections.blackboard.counts.done === 2);
    expect(parkings(simulation)).toEqual([]);
  });

  it('is probed again if the probe was cancelled, and not parked because of it', async () => {
    const run = oneAfterTheOther(scripts.fails(), scripts.fails(), scripts.hangs(), scripts.succeeds());
    const simulation = await givenTasks(4, run);
    await simulation.untilState('t3', 'working');
    expect(stateOf(simulation)).toBe('probing');
    await simulation.decide('cancel', 't3');
    await simulation.untilState('t4', 'done');
    expect(parkings(simulation)).toHaveLength(1);
  });

  it('needs no probe if another of its attempts has succeeded meanwhile', async () => {
    const run = oneAfterTheOther(scripts.fails(), scripts.fails(), scripts.succeeds(10_000));
    const simulation = await givenTasks(3, run, 3);
    await simulation.until(() => stateOf(simulation) === 'parked');
    await simulation.untilState('t3', 'done');
    await simulation.until(() => stateOf(simulation) === 'probing');
    await simulation.advance(10);
    expect(stateOf(simulation)).toBe('idle');
  });

  it('is idle again as soon as a user resumes it', async () => {
    const simulation = await givenTasks(3, () => scripts.fails());
    await simulation.until(() => stateOf(simulation) === 'parked');
    simulation.app.supervision.supervisor.decide({ type: 'agent.resumed', agent: 'a' }, 'user:test');
    await simulation.untilState('t3', 'failed', 2_000);
  });
});

describe('after a restart', () => {
  it('a parked agent stays parked until the same time after a restart', async () => {
    const simulation = await givenTasks(3, () => scripts.fails());
    await simulation.until(() => stateOf(simulation) === 'parked');
    const until = parkings(simulation)[0]?.until_ms;
    simulation.crash();
    await simulation.advance(10_000);
    await simulation.restart();
    await simulation.until(() => stateOf(simulation) === 'probing');
    expect(simulation.clock.now()).toBe(until);
  });

  it('an agent is parked although Signalbox died between the last failure and the parking', async () => {
    const simulation = await givenTasks(3, () => scripts.fails());
    await simulation.untilState('t1', 'failed');
    await simulation.untilState('t2', 'working');
    simulation.log.faults.set(simulation.log.appends + 1, 'unanswered');
    await simulation.until(() => simulation.node === null);
    expect(simulation.typesOf('t2').at(-1)).toBe('attempt.ended');
    await simulation.restart();
    await simulation.advance(100);
    expect([stateOf(simulation), claims(simulation)]).toEqual(['parked', 2]);
  });

  it('an agent works again although Signalbox died right after the probe succeeded', async () => {
    const run = oneAfterTheOther(scripts.fails(), scripts.fails(), scripts.succeeds());
    const simulation = await givenTasks(3, run, 1);
    await simulation.untilState('t3', 'working');
    expect(stateOf(simulation)).toBe('probing');
    simulation.log.traps.set('attempt_ended', 'unanswered');
    await simulation.until(() => simulation.node === null);
    await simulation.restart();
    await simulation.advance(10);
    expect(stateOf(simulation)).toBe('idle');
  });
});
