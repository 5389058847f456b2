/** Who runs next, in simulated time: priority and age, turns between projects, caps, agents that share work. */
import { describe, expect, it } from 'vitest';
import { decideAgent } from '../../../src/app/agents/agents.ts';
import { taskKey } from '../../../src/contracts/ids.ts';
import { agent } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

/** `task` or `project/task` of the claims, in their order. */
function claimed(simulation: Simulation): string[] {
  return simulation.records.flatMap(({ event }) =>
    event.type === 'task.claimed' ? [event.project === 'demo' ? event.task : taskKey(event)] : [],
  );
}

function open(simulation: Simulation): number {
  return simulation.model.open;
}

async function tell(
  simulation: Simulation,
  id: string,
  decision: 'pause' | 'drain' | 'resume',
): Promise<void> {
  await simulation.answer(decideAgent(simulation.app, id, decision, {}, 'user:test'));
}

describe('within a queue', () => {
  it('the highest priority goes first, and among equals the oldest', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await tell(simulation, 'a', 'pause');
    for (const [id, priority] of Object.entries({ b5: 5, c9: 9, d1: 1, e9: 9, f5: 5 })) {
      await simulation.create({ id, agent: 'a', priority });
    }
    await tell(simulation, 'a', 'resume');
    await simulation.until(() => claimed(simulation).length === 5);
    expect(claimed(simulation)).toEqual(['c9', 'e9', 'b5', 'f5', 'd1']);
  });

  it('a retry keeps the place of its age', async () => {
    const run = ({ task, attempt }: { task: string; attempt: number }) =>
      task === 'old' && attempt === 1 ? scripts.fails(100) : scripts.succeeds(10_000);
    const simulation = await Simulation.begin({ agents: [agent('a', run)] });
    for (const id of ['old', 'b', 'c']) await simulation.create({ id, agent: 'a' });
    await simulation.until(() => claimed(simulation).length === 4);
    expect(claimed(simulation)).toEqual(['old', 'b', 'old', 'c']);
  });
});

describe('between projects', () => {
  it('dispatch/priority-then-age: projects take turns, however many tasks one of them has', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await tell(simulation, 'a', 'pause');
    for (let index = 1; index <= 5; index++)
      await simulation.create({ id: `${index}`, agent: 'a', priority: 10 }, 'big');
    for (let index = 1; index <= 2; index++) await simulation.create({ id: `${index}`, agent: 'a' }, 'small');
    await tell(simulation, 'a', 'resume');
    await simulation.until(() => claimed(simulation).length === 7);
    expect(claimed(simulation).slice(0, 4)).toEqual(['big/1', 'small/1', 'big/2', 'small/2']);
  });

  it('projects take turns also if each has an agent of its own and only the global limit binds', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a'), agent('b')],
      limits: { concurrency: 1 },
    });
    for (let index = 1; index <= 4; index++) {
      await simulation.create({ id: `${index}`, agent: 'a' }, 'north');
      await simulation.create({ id: `${index}`, agent: 'b' }, 'south');
    }
    await simulation.until(() => claimed(simulation).length === 8);
    const projects = claimed(simulation).map((key) => key.split('/')[0]);
    expect(projects.slice(0, 6)).toEqual(['north', 'south', 'north', 'south', 'north', 'south']);
  });

  it('one never exceeds its limit of open attempts, and the others continue', async () => {
    const agents = [agent('a', scripts.succeeds(), { concurrency: 9 })];
    const simulation = await Simulation.begin({ agents, limits: { projectConcurrency: 2 } });
    for (let index = 1; index <= 5; index++) await simulation.create({ id: `${index}`, agent: 'a' }, 'big');
    await simulation.create({ id: '1', agent: 'a' }, 'small');
    await simulation.advance(100);
    expect(claimed(simulation)).toEqual(['big/1', 'big/2', 'small/1']);
    await simulation.until(() => simulation.model.stateOf('task', 'big/5') === 'done');
  });
});

describe('agents', () => {
  it('that can do the same type share the work evenly', async () => {
    const settings = { capabilities: ['review'], concurrency: 3 };
    const agents = [agent('a', scripts.hangs(), settings), agent('b', scripts.hangs(), settings)];
    const simulation = await Simulation.begin({ agents });
    for (let index = 1; index <= 4; index++) await simulation.create({ id: `t${index}`, type: 'review' });
    await simulation.advance(100);
    expect([simulation.model.running('a'), simulation.model.running('b')]).toEqual([2, 2]);
  });

  it('are all offered the work that a global limit held back', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.succeeds(5_000)), agent('b'), agent('c')],
      limits: { concurrency: 1 },
    });
    for (const id of ['a', 'b', 'c']) await simulation.create({ id, agent: id });
    await simulation.advance(100);
    expect([claimed(simulation), open(simulation)]).toEqual([['a'], 1]);
    await simulation.until(() => simulation.app.state.projections.blackboard.counts.done === 3, 10_000);
  });

  it.each(['pause', 'drain'] as const)(
    'claim nothing after %s, also after a restart, until resumed',
    async (decision) => {
      const simulation = await Simulation.begin({ agents: [agent('a')] });
      await tell(simulation, 'a', decision);
      await simulation.create({ id: 't', agent: 'a' });
      await simulation.advance(10_000);
      simulation.crash();
      await simulation.restart();
      await simulation.advance(10_000);
      expect(simulation.task('t').state).toBe('pending');
      await tell(simulation, 'a', 'resume');
      await simulation.untilState('t', 'done');
    },
  );
});

describe('a Signalbox that drains', () => {
  it('claims nothing, even if it drains before it has started', async () => {
    const slow = script({ adoptMs: 5_000, runsMs: 10_000 });
    const simulation = await Simulation.begin({ agents: [agent('a', slow), agent('b')] });
    await simulation.create({ id: 'running', agent: 'a' });
    await simulation.untilState('running', 'working');
    await simulation.create({ id: 'waiting', agent: 'b', delay_seconds: 1 });
    simulation.crash();
    const node = await simulation.open();
    node.engine.drain('a test');
    await simulation.answer(node.begun);
    await simulation.untilState('running', 'done');
    expect(simulation.task('waiting').state).toBe('pending');
  });

  it('claims nothing more, and lets running attempts finish', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await simulation.create({ id: 'running', agent: 'a' });
    await simulation.create({ id: 'waiting', agent: 'a' });
    await simulation.untilState('running', 'working');
    simulation.node?.engine.drain('a test');
    await simulation.untilState('running', 'done');
    await simulation.advance(60_000);
    expect(simulation.task('waiting').state).toBe('pending');
    simulation.crash();
    await simulation.restart();
    await simulation.untilState('waiting', 'done');
  });
});
