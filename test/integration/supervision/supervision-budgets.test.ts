/** Budgets of a task and all below it, checked before each attempt. */
import { describe, expect, it } from 'vitest';
import { agent } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const QUICK_RETRY = { initial_seconds: 1, factor: 1, jitter: 0 };

describe('a budget', () => {
  it('of attempts blocks the task before the next one, with the reason', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.fails())] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 9, budget: { attempts: 2 } });
    await simulation.untilState('t', 'blocked');
    expect(simulation.task('t')).toMatchObject({
      attempts: 2,
      reason: 'the budget of task t is used up: attempts 2 of 2',
    });
    await simulation.advance(600_000);
    expect(simulation.task('t').state).toBe('blocked');
  });

  it('of time counts what all attempts have run', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', { ...scripts.fails(4_000), startMs: 0 })],
    });
    const budget = { wall_seconds: 10 };
    await simulation.create({ id: 't', agent: 'a', max_attempts: 9, budget, backoff: QUICK_RETRY });
    await simulation.untilState('t', 'blocked');
    expect(simulation.task('t')).toMatchObject({
      attempts: 3,
      reason: 'the budget of task t is used up: wall_seconds 12 of 10',
    });
  });

  it.each([
    ['tokens', { tokens: 100 }, 'tokens 120 of 100'],
    ['cost', { cost_usd: 1.5 }, 'cost_usd 1.6 of 1.5'],
  ])('of %s counts what the agents have reported', async (_name, budget, reason) => {
    const usage = { input_tokens: 50, output_tokens: 10, cost_usd: 0.8 };
    const failing = script({ usage, result: { kind: 'exited', code: 1 } });
    const simulation = await Simulation.begin({ agents: [agent('a', failing)] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 9, budget, backoff: QUICK_RETRY });
    await simulation.untilState('t', 'blocked');
    expect(simulation.task('t').reason).toContain(reason);
  });

  it('of a parent counts the attempts of its children and of theirs', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.succeeds(), { concurrency: 9 })],
    });
    await simulation.create({ id: 'root', agent: 'a', review: 'manual', budget: { attempts: 3 } });
    await simulation.create({ id: 'child', agent: 'a', review: 'manual', parent: 'root' });
    await simulation.create({ id: 'grandchild', agent: 'a', parent: 'child' });
    await simulation.create({ id: 'another', agent: 'a', parent: 'root' });
    await simulation.untilState('another', 'blocked');
    expect(simulation.task('another').reason).toBe('the budget of task root is used up: attempts 3 of 3');
    expect(simulation.task('grandchild').attempts).toBe(1);
  });

  it('is not exceeded by two claims at the same moment', async () => {
    const agents = [agent('a', scripts.succeeds(), { concurrency: 9 })];
    const simulation = await Simulation.begin({ agents, storeMs: 300 });
    await simulation.create({ id: 'root', agent: 'a', review: 'manual', budget: { attempts: 3 } });
    await simulation.untilState('root', 'review');
    await simulation.answer(
      Promise.all(['b', 'c', 'd', 'e'].map((id) => simulation.create({ id, agent: 'a', parent: 'root' }))),
    );
    await simulation.advance(10_000);
    const { counts } = simulation.app.state.projections.blackboard;
    expect([counts.done, counts.blocked]).toEqual([2, 2]);
  });

  it('survives a restart', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.fails())] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 9, budget: { attempts: 2 } });
    await simulation.untilState('t', 'scheduled');
    simulation.crash();
    await simulation.restart();
    await simulation.untilState('t', 'blocked');
    expect(simulation.task('t').attempts).toBe(2);
  });
});
