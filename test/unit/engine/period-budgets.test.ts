import { describe, expect, it } from 'vitest';
import { newProjections } from '../../../projections/index.ts';
import { listAgents } from '../../../src/app/agents/agents.ts';
import { listBudgets, pastHolderOf, raiseBudget, registerBudgets } from '../../../src/app/budgets/budgets.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import { budgetConfigSchema } from '../../../src/contracts/api/usage/budgets.ts';
import { agent } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const HOUR = 3_600_000;
const ZONE = 'America/New_York';
/** An attempt uses 3,000 tokens. */
const WORK = script({ usage: { input_tokens: 2_500, output_tokens: 500, cost_usd: 0.5 } });

async function begin(budget: object, concurrency = 1): Promise<Simulation> {
  const simulation = await Simulation.begin({
    agents: [agent('coder', WORK, { concurrency }), agent('other', WORK, { concurrency })],
  });
  await configure(simulation, budget);
  return simulation;
}

async function configure(simulation: Simulation, budget: object): Promise<void> {
  await simulation.answer(
    registerBudgets(simulation.app, {
      daily: budgetConfigSchema.parse({ period: 'day', zone: ZONE, ...budget }),
    }),
  );
}

const budgetEvents = ({ records }: Simulation) =>
  records.flatMap(({ event, time }) => ('budget' in event ? [{ ...event, time }] : []));
const typesOf = (simulation: Simulation): string[] => budgetEvents(simulation).map(({ type }) => type);
const stateOf = ({ app }: Simulation): string | undefined => app.state.host.get('budget', 'daily')?.state;
const now = ({ app }: Simulation): number => app.environment.clock.now();
const wallOf = (moment: number): string =>
  new Date(moment).toLocaleTimeString('en-GB', { timeZone: ZONE, hour12: false });

async function create(simulation: Simulation, id: string, request: object = {}): Promise<void> {
  await simulation.create({ id, agent: 'coder', review: 'auto', ...request });
}

async function done(simulation: Simulation, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    await create(simulation, id);
    await simulation.untilState(id, 'done');
  }
}

describe('a budget of 10,000 tokens a day', () => {
  it('warns at 80 %, holds back at 100 %, over a restart, and is free again at midnight of its zone', async () => {
    const simulation = await begin({ tokens: 10_000 });
    await done(simulation, 'a', 'b');
    expect(typesOf(simulation)).toEqual(['budget.set']);
    await done(simulation, 'c');
    await simulation.until(() => budgetEvents(simulation).at(-1)?.type === 'budget.warned', 1_000);
    expect(budgetEvents(simulation).at(-1)).toMatchObject({
      type: 'budget.warned',
      measure: 'tokens',
      used: 9_000,
      limit: 10_000,
    });
    await done(simulation, 'd');
    await simulation.until(() => budgetEvents(simulation).at(-1)?.type === 'budget.exhausted', 1_000);
    expect(budgetEvents(simulation).at(-1)).toMatchObject({ used: 12_000 });
    await create(simulation, 'e');
    await create(simulation, 'f', { agent: 'other' });
    await simulation.advance(10 * 60_000);
    expect(simulation.task('e').attempts).toBe(0);
    const why = await explainTask(simulation.app, { project: 'demo', task: 'e' });
    expect(why.waits_for[0]).toMatchObject({ kind: 'budget' });
    expect(why.waits_for[0]?.detail).toContain('12,000 of 10,000 tokens');
    expect(why.next).toContain('signalbox budget raise daily');
    simulation.crash();
    await simulation.restart();
    await simulation.advance(10 * 60_000);
    expect(simulation.task('e').attempts).toBe(0);
    const until = listBudgets(simulation.app)[0]?.until ?? '';
    expect(wallOf(Date.parse(until))).toMatch(/^(?:00|24):00:00$/);
    await simulation.advance(Date.parse(until) - now(simulation) - 1);
    expect(simulation.task('e').attempts).toBe(0);
    await simulation.untilState('e', 'done');
    await simulation.untilState('f', 'done');
    expect(budgetEvents(simulation).find(({ type }) => type === 'budget.renewed')).toMatchObject({
      time: Date.parse(until),
    });
    expect(simulation.find('e', 'attempt.started')).toBeDefined();
    expect(listBudgets(simulation.app)[0]?.used.tokens).toBe(6_000);
  });

  it('is free again at midnight that passed while Signalbox was down', async () => {
    const simulation = await begin({ tokens: 10_000 });
    await done(simulation, 'a', 'b', 'c', 'd');
    expect(stateOf(simulation)).toBe('exhausted');
    await create(simulation, 'e');
    simulation.crash();
    await simulation.advance(30 * HOUR);
    await simulation.restart();
    await simulation.untilState('e', 'done');
    expect(typesOf(simulation)).toContain('budget.renewed');
  });

  it('frees at once when it is raised, until the period ends, and keeps the raise over a restart', async () => {
    const simulation = await begin({ tokens: 10_000 });
    await done(simulation, 'a', 'b', 'c', 'd');
    await create(simulation, 'e');
    const lower = raiseBudget(simulation.app, 'daily', { tokens: 9_000 }, 'user:ann');
    await expect(lower).rejects.toMatchObject({ code: 'invalid_request' });
    await simulation.answer(
      raiseBudget(simulation.app, 'daily', { tokens: 16_000, comment: 'release' }, 'user:ann'),
    );
    simulation.crash();
    await simulation.restart();
    await simulation.untilState('e', 'done');
    expect(stateOf(simulation)).toBe('warned');
    expect(listBudgets(simulation.app)[0]).toMatchObject({
      limits: { tokens: 16_000 },
      raised_by: 'ann',
      reason: 'release',
    });
    await done(simulation, 'f');
    expect(stateOf(simulation)).toBe('exhausted');
    await simulation.advance(25 * HOUR);
    expect(stateOf(simulation)).toBe('open');
    expect(listBudgets(simulation.app)[0]).toMatchObject({ limits: { tokens: 10_000 }, raised_by: null });
  });

  it('frees when the configuration raises it, and when it is removed from it', async () => {
    const simulation = await begin({ tokens: 3_000 });
    await done(simulation, 'a');
    await create(simulation, 'b');
    await configure(simulation, { tokens: 6_000 });
    await simulation.untilState('b', 'done');
    expect(stateOf(simulation)).toBe('exhausted');
    await create(simulation, 'c');
    await simulation.answer(registerBudgets(simulation.app, {}));
    await simulation.untilState('c', 'done');
    expect(listBudgets(simulation.app)).toEqual([]);
  });
});

describe('a budget', () => {
  it('of an agent holds back that agent only, and one of a project its tasks only', async () => {
    for (const scope of [{ agent: 'coder' }, { project: 'shop' }]) {
      const simulation = await begin({ cost_usd: 0.5, ...scope });
      await simulation.create({ id: 'a', agent: 'coder', review: 'auto' }, 'shop');
      await simulation.until(() => simulation.task('a', 'shop').state === 'done');
      expect(stateOf(simulation)).toBe('exhausted');
      await simulation.create({ id: 'b', agent: 'coder', review: 'auto' }, 'shop');
      await simulation.create({ id: 'c', agent: 'other', review: 'auto' }, 'demo');
      await simulation.untilState('c', 'done');
      expect(simulation.task('b', 'shop').attempts).toBe(0);
    }
  });

  it('of attempts counts those that run: no two claims share the last one', async () => {
    const simulation = await begin({ attempts: 3 }, 10);
    for (const id of ['a', 'b', 'c', 'd', 'e']) await create(simulation, id);
    await simulation.advance(HOUR);
    const claims = simulation.records.filter(({ event }) => event.type === 'task.claimed');
    expect(claims.length).toBe(3);
    expect(stateOf(simulation)).toBe('exhausted');
    expect(listBudgets(simulation.app)[0]).toMatchObject({ used_attempts: 3, holds: true });
  });

  it('is what an agent waits for, now and at a past moment', async () => {
    for (const scope of [{ agent: 'coder' }, {}]) {
      const simulation = await begin({ tokens: 3_000, ...scope });
      await done(simulation, 'a');
      await simulation.until(() => typesOf(simulation).includes('budget.exhausted'), 1_000);
      const held = listAgents(simulation.app).flatMap(({ id, budget }) => (budget === null ? [] : [id]));
      expect(held).toEqual('agent' in scope ? ['coder'] : ['coder', 'other']);
      const past = newProjections();
      for (const record of simulation.records) past.evolve(record);
      expect(pastHolderOf(past.budgets, 'coder')).toEqual(listAgents(simulation.app)[0]?.budget);
      expect(pastHolderOf(newProjections().budgets, 'coder')).toBeNull();
      await simulation.advance(25 * HOUR);
      expect(listAgents(simulation.app).map(({ budget }) => budget)).toEqual([null, null]);
    }
  });

  it('counts what failed, too', async () => {
    const simulation = await Simulation.begin({ agents: [agent('coder', scripts.fails())] });
    await configure(simulation, { attempts: 2 });
    await create(simulation, 'a', { max_attempts: 5 });
    await simulation.advance(2 * HOUR);
    expect(simulation.task('a').attempts).toBe(2);
    await simulation.advance(25 * HOUR);
    expect(simulation.task('a').attempts).toBe(4);
  });
});
