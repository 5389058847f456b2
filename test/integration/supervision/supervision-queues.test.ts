/** A paused queue, in simulated time: no task of it is assigned to any agent. */
import { describe, expect, it } from 'vitest';
import { decideQueue, type QueueDecision } from '../../../src/app/overview/queues.ts';
import { decideTask } from '../../../src/app/tasks/decide-task.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import type { QueueParts } from '../../../src/contracts/api/queue-name.ts';
import { agent } from '../../support/simulation/agent.ts';
import { scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const BUILD = { kind: 'type', name: 'build' } as const;
const builder = { capabilities: ['build'] };

function tell(simulation: Simulation, queue: QueueParts, decision: QueueDecision): Promise<unknown> {
  return simulation.answer(decideQueue(simulation.app, queue, decision, { comment: 'moving' }, 'user:ann'));
}

/** The tasks that were claimed, in the order of their claims. */
function claimed({ records }: Simulation): string[] {
  return records.flatMap(({ event }) => (event.type === 'task.claimed' ? [event.task] : []));
}

describe('a paused queue', () => {
  it('assigns no task to any of its agents, which continue with their other queues', async () => {
    const agents = [agent('a', scripts.succeeds(), builder), agent('b', scripts.succeeds(), builder)];
    const simulation = await Simulation.begin({ agents });
    await tell(simulation, BUILD, 'pause');
    for (const id of ['t1', 't2']) await simulation.create({ id, type: 'build' });
    await simulation.create({ id: 'own', agent: 'a' });
    await simulation.untilState('own', 'done');
    await simulation.advance(60_000);
    expect(claimed(simulation)).toEqual(['own']);
  });

  it('of one agent lets it take types, and lets no other agent take what waits for it', async () => {
    const agents = [agent('a', scripts.succeeds(), builder), agent('b', scripts.succeeds(), builder)];
    const simulation = await Simulation.begin({ agents });
    await tell(simulation, { kind: 'agent', name: 'a' }, 'pause');
    await simulation.create({ id: 'own', agent: 'a' });
    await simulation.create({ id: 'typed', type: 'build' });
    await simulation.untilState('typed', 'done');
    await simulation.advance(60_000);
    expect(simulation.task('own').state).toBe('pending');
  });

  it('is dispatched at once, by priority and age, when it is resumed', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await tell(simulation, BUILD, 'pause');
    for (const [id, priority] of Object.entries({ old: 5, new: 5, urgent: 9 })) {
      await simulation.create({ id, type: 'build', priority });
    }
    await simulation.advance(60_000);
    const { passed } = simulation.clock;
    await tell(simulation, BUILD, 'resume');
    await simulation.until(() => claimed(simulation).length > 0);
    expect(simulation.clock.passed).toBe(passed);
    await simulation.untilState('new', 'done');
    expect(claimed(simulation)).toEqual(['urgent', 'old', 'new']);
  });

  it('leaves running attempts alone; their retries wait', async () => {
    const run = ({ attempt }: { attempt: number }) =>
      attempt === 1 ? scripts.fails(5_000) : scripts.succeeds();
    const simulation = await Simulation.begin({ agents: [agent('a', run, builder)] });
    await simulation.create({ id: 't', type: 'build', max_attempts: 2 });
    await simulation.untilState('t', 'working');
    await tell(simulation, BUILD, 'pause');
    await simulation.until(() => simulation.find('t', 'attempt.ended') !== undefined);
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'failed' });
    await simulation.advance(600_000);
    expect(simulation.task('t')).toMatchObject({ state: 'pending', attempts: 1 });
    await tell(simulation, BUILD, 'resume');
    await simulation.untilState('t', 'done');
  });

  it('resumed under a global limit, leaves the next free slot to the next task of all queues', async () => {
    const agents = [agent('a', scripts.succeeds(5_000), builder), agent('b')];
    const simulation = await Simulation.begin({ agents, limits: { concurrency: 1 } });
    await tell(simulation, BUILD, 'pause');
    await simulation.create({ id: 'first', agent: 'b' });
    await simulation.untilState('first', 'working');
    await simulation.create({ id: 'typed', type: 'build' });
    await simulation.create({ id: 'urgent', agent: 'b', priority: 9 });
    await tell(simulation, BUILD, 'resume');
    await simulation.untilState('typed', 'done');
    expect(claimed(simulation)).toEqual(['first', 'urgent', 'typed']);
  });

  it('stays paused over kill -9, with who, when and why', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await tell(simulation, BUILD, 'pause');
    const before = simulation.app.state.projections.queues.paused.get('type:build');
    expect(before).toMatchObject({ by: 'ann', reason: 'moving', since: expect.any(Number) });
    simulation.crash();
    await simulation.advance(5_000);
    await simulation.restart();
    await simulation.create({ id: 't', type: 'build' });
    await simulation.advance(60_000);
    expect(simulation.app.state.projections.queues.paused.get('type:build')).toEqual(before);
    expect(simulation.task('t').state).toBe('pending');
    const why = await explainTask(simulation.app, { project: 'demo', task: 't' });
    expect(why).toMatchObject({ waits_for: [{ kind: 'queue_paused' }] });
    await tell(simulation, BUILD, 'resume');
    await simulation.untilState('t', 'done');
  });

  it('may have no agent now, as long as tasks wait in it', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    const paint = { kind: 'type', name: 'paint' } as const;
    await expect(tell(simulation, paint, 'pause')).rejects.toMatchObject({ code: 'queue_not_found' });
    await simulation.create({ id: 't', type: 'paint' });
    await tell(simulation, paint, 'pause');
    await simulation.decide('cancel', 't');
    // Nothing waits in it any more; that it is paused is reason enough to know it.
    await tell(simulation, paint, 'resume');
    await expect(tell(simulation, paint, 'pause')).rejects.toMatchObject({ code: 'queue_not_found' });
  });
});

describe('a task whose priority changes', () => {
  const setPriority = (simulation: Simulation, task: string, priority: number): Promise<unknown> =>
    simulation.answer(
      decideTask(
        simulation.app,
        { type: 'task.priority_changed', project: 'demo', task, priority },
        {},
        'user:ann',
      ),
    );

  it('is dispatched by its new priority, also after a restart, and shows it', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await tell(simulation, BUILD, 'pause');
    for (const id of ['t1', 't2', 't3']) await simulation.create({ id, type: 'build', priority: 5 });
    await setPriority(simulation, 't3', 9);
    await setPriority(simulation, 't1', 1);
    expect(simulation.task('t3').spec.priority).toBe(9);
    await simulation.restart();
    await tell(simulation, BUILD, 'resume');
    await simulation.untilState('t1', 'done');
    expect(claimed(simulation)).toEqual(['t3', 't2', 't1']);
  });

  it('refuses a change once it is finished, and nothing is recorded', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await simulation.create({ id: 't1', type: 'build' });
    await simulation.untilState('t1', 'done');
    const before = simulation.records.length;
    await expect(setPriority(simulation, 't1', 9)).rejects.toMatchObject({ code: 'illegal_transition' });
    expect(simulation.records.length).toBe(before);
  });
});
