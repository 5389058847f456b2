/** A paused queue, in simulated time: no task of it is assigned to any agent. */
import { describe, expect, it } from 'vitest';
import { decideQueue, type QueueDecision } from '../../../src/app/overview/queues.ts';
import { editTask } from '../../../src/app/tasks/edit-task.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import type { QueueParts } from '../../../src/contracts/api/queue-name.ts';
import type { EditTask } from '../../../src/contracts/api/requests.ts';
import { agent } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
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

describe('a task that is edited', () => {
  const edit = (simulation: Simulation, task: string, change: EditTask): Promise<unknown> =>
    simulation.answer(editTask(simulation.app, { project: 'demo', task }, change, 'user:ann'));

  it('is dispatched by its new priority, also after a restart, and shows it', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await tell(simulation, BUILD, 'pause');
    for (const id of ['t1', 't2', 't3']) await simulation.create({ id, type: 'build', priority: 5 });
    await edit(simulation, 't3', { priority: 9 });
    await edit(simulation, 't1', { priority: 1 });
    expect(simulation.task('t3').spec.priority).toBe(9);
    await simulation.restart();
    await tell(simulation, BUILD, 'resume');
    await simulation.untilState('t1', 'done');
    expect(claimed(simulation)).toEqual(['t3', 't2', 't1']);
  });

  it('goes to its new agent and to no other, also if both become free while the edit is being stored', async () => {
    const agents = [agent('a', scripts.succeeds(), builder), agent('b', scripts.succeeds(), builder)];
    const simulation = await Simulation.begin({ agents });
    const pause = (decision: QueueDecision) => tell(simulation, { kind: 'agent', name: 'a' }, decision);
    await pause('pause');
    await simulation.create({ id: 't', agent: 'a' });
    const moved = editTask(simulation.app, { project: 'demo', task: 't' }, { agent: 'b' }, 'user:ann');
    // Decided before the edit is stored: the queue of a is free, and the task is no longer in it.
    await Promise.all([pause('resume'), simulation.answer(moved)]);
    await simulation.untilState('t', 'done');
    expect(simulation.task('t')).toMatchObject({ agent: 'b', attempts: 1 });
  });

  it('expires at its new time, and not at the earlier one', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    const inSeconds = (seconds: number): string =>
      new Date(simulation.clock.now() + seconds * 1_000).toISOString();
    await tell(simulation, BUILD, 'pause');
    for (const id of ['longer', 'never', 'sooner'])
      await simulation.create({ id, type: 'build', expires_at: inSeconds(60) });
    await edit(simulation, 'longer', { expires_at: inSeconds(600) });
    await edit(simulation, 'never', { expires_at: null });
    await edit(simulation, 'sooner', { expires_at: inSeconds(10) });
    await simulation.advance(20_000);
    const states = () => ['longer', 'never', 'sooner'].map((id) => simulation.task(id).state);
    expect(states()).toEqual(['pending', 'pending', 'expired']);
    await simulation.restart();
    await simulation.advance(300_000);
    expect(states()).toEqual(['pending', 'pending', 'expired']);
    await simulation.advance(300_000);
    expect(states()).toEqual(['expired', 'pending', 'expired']);
  });

  it('gives up the session of the agent that was parked on it, and says so', async () => {
    const asks = script({ runsMs: null, words: [{ atMs: 100, say: 'ask' }] });
    const parking = { questions: { parkAfterMs: 1_000 } };
    const simulation = await Simulation.begin({ agents: [agent('a', asks, parking), agent('b')] });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'blocked');
    await edit(simulation, 't', { agent: 'b' });
    await simulation.decide('unblock', 't');
    await simulation.untilState('t', 'done');
    const claims = simulation.eventsOf('t').filter(({ event }) => event.type === 'task.claimed');
    const session_given_up = 'the task is for agent b now';
    expect(claims.at(-1)?.event).toMatchObject({ agent: 'b', session_given_up });
  });

  it('two edits at a time say what was there before each of them', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.succeeds(), builder)] });
    await tell(simulation, BUILD, 'pause');
    await simulation.create({ id: 't', type: 'build', title: 'one' });
    await Promise.all([edit(simulation, 't', { title: 'two' }), edit(simulation, 't', { title: 'three' })]);
    const changes = simulation
      .eventsOf('t')
      .flatMap(({ event }) => (event.type === 'task.edited' ? event.changes : []));
    expect(changes).toEqual([{ title: { from: 'one', to: 'two' } }, { title: { from: 'two', to: 'three' } }]);
  });
});
