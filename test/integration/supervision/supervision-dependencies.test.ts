/** Tasks that wait for others, in simulated time. */
import { describe, expect, it } from 'vitest';
import { agent } from '../../support/simulation/agent.ts';
import { type Script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

/** Succeeds, but for the first attempts of some tasks. */
function failing(attempts: Readonly<Record<string, number>>) {
  return ({ task, attempt }: { task: string; attempt: number }): Script =>
    attempt <= (attempts[task] ?? 0) ? scripts.fails() : scripts.succeeds();
}

async function given(attempts: Readonly<Record<string, number>> = {}): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents: [agent('a', failing(attempts), { concurrency: 9 })] });
  await simulation.create({ id: 'first', agent: 'a', max_attempts: 1 });
  await simulation.create({ id: 'second', agent: 'a', max_attempts: 1 });
  await simulation.create({ id: 'last', agent: 'a', depends_on: ['first', 'second'] });
  return simulation;
}

describe('a task with dependencies', () => {
  it('is scheduled until all of them are done', async () => {
    const simulation = await given();
    expect(simulation.task('last').state).toBe('scheduled');
    await simulation.untilState('last', 'done');
    expect(simulation.typesOf('last').slice(0, 4)).toEqual([
      'task.created',
      'task.dependency_met',
      'task.dependency_met',
      'task.claimed',
    ]);
  });

  it('is pending at once if they are done already', async () => {
    const simulation = await given();
    await simulation.untilState('second', 'done');
    const late = await simulation.create({ id: 'late', agent: 'a', depends_on: ['first', 'second'] });
    expect(late.state).toBe('pending');
  });

  it('waits for its start time as well', async () => {
    const simulation = await given();
    await simulation.create({ id: 'late', agent: 'a', depends_on: ['first'], delay_seconds: 60 });
    await simulation.advance(59_000);
    expect(simulation.task('late').state).toBe('scheduled');
    await simulation.advance(3_000);
    expect(simulation.task('late').state).toBe('done');
  });

  it('is blocked with the reason when one fails, and continues when that one is done later', async () => {
    const simulation = await given({ second: 1 });
    await simulation.untilState('last', 'blocked');
    expect(simulation.task('last').reason).toBe('it depends on task second, which is failed');
    await simulation.decide('retry', 'second');
    await simulation.untilState('last', 'done');
    expect(simulation.task('last').reason).toBeNull();
  });

  it('continues waiting for the others when the dependency that blocked it is done', async () => {
    const simulation = await given({ first: 1, second: 1 });
    await simulation.untilState('last', 'blocked');
    await simulation.decide('retry', 'first');
    await simulation.untilState('first', 'done');
    await simulation.advance(1_000);
    expect(simulation.task('last')).toMatchObject({
      state: 'blocked',
      reason: 'it depends on task second, which is failed',
    });
    await simulation.decide('retry', 'second');
    await simulation.untilState('last', 'done');
  });

  it('keeps its start time when the dependency that blocked it is done', async () => {
    const simulation = await given({ second: 1 });
    await simulation.create({ id: 'late', agent: 'a', depends_on: ['second'], delay_seconds: 100 });
    await simulation.untilState('late', 'blocked');
    await simulation.decide('retry', 'second');
    await simulation.untilState('second', 'done');
    await simulation.advance(1_000);
    expect(simulation.task('late').state).toBe('scheduled');
    await simulation.untilState('late', 'done');
    expect(simulation.clock.passed).toBeGreaterThanOrEqual(100_000);
  });

  it('stays blocked if a user blocked it', async () => {
    const simulation = await given();
    await simulation.decide('block', 'last');
    await simulation.untilState('second', 'done');
    await simulation.advance(60_000);
    expect(simulation.task('last').state).toBe('blocked');
    await simulation.decide('unblock', 'last');
    await simulation.untilState('last', 'done');
  });

  it('continues without them when a user unblocks it', async () => {
    const simulation = await given({ second: 1 });
    await simulation.untilState('last', 'blocked');
    await simulation.decide('unblock', 'last');
    await simulation.untilState('last', 'done');
  });

  it('continues although Signalbox crashed before it was recorded', async () => {
    const simulation = await given();
    await simulation.untilState('first', 'working');
    simulation.log.traps.set('dependency_met', 'lost');
    await simulation.until(() => simulation.node === null);
    await simulation.advance(5_000);
    await simulation.restart();
    await simulation.untilState('last', 'done');
  });
});
