/** Events of a task that are decided together are one message of the log, in simulated time. */
import { describe, expect, it } from 'vitest';
import { decideQueue } from '../../../src/app/overview/queues.ts';
import { readRecords } from '../../../src/journal/codec/cloud-event.ts';
import { agent } from '../../support/simulation/agent.ts';
import type { SimulatedAgent } from '../../support/simulation/node.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';
import { decideTask } from '../../support/simulation/use-cases.ts';

const inside = { adoptable: false };

/** The messages of a task: the types of the events of each. */
function messagesOf({ log }: Simulation, id: string): string[][] {
  return log.messages
    .filter(({ subject }) => subject.includes(`.task.${id}.`))
    .map((message) => readRecords(message).map(({ event }) => event.type));
}

/** A Signalbox whose agents are registered. */
async function begin(...agents: readonly SimulatedAgent[]): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents });
  await simulation.until(() => simulation.app.state.projections.agents.byId.size === agents.length);
  return simulation;
}

function claimed({ records }: Simulation): string[] {
  return records.flatMap(({ event }) => (event.type === 'task.claimed' ? [event.task] : []));
}

describe('the messages of a task', () => {
  it('are two for a function agent with a free slot, and three if the task had to wait for it', async () => {
    const simulation = await begin(agent('a', scripts.succeeds(), inside));
    await simulation.create({ id: 't1', agent: 'a' });
    await simulation.create({ id: 't2', agent: 'a' });
    await simulation.untilState('t2', 'done');
    const end = ['task.output_added', 'attempt.ended', 'task.approved'];
    expect(messagesOf(simulation, 't1')).toEqual([['task.created', 'task.claimed', 'attempt.started'], end]);
    expect(messagesOf(simulation, 't2')).toEqual([
      ['task.created'],
      ['task.claimed', 'attempt.started'],
      end,
    ]);
  });

  it('are at most four for an agent with a process of its own that does not write back', async () => {
    const simulation = await begin(agent('a'));
    await simulation.create({ id: 't1', agent: 'a' });
    await simulation.create({ id: 't2', agent: 'a' });
    await simulation.untilState('t2', 'done');
    expect(messagesOf(simulation, 't1')).toHaveLength(3);
    expect(messagesOf(simulation, 't2')).toHaveLength(4);
  });

  it('have every transition with its actor, and a subject that names every event', async () => {
    const simulation = await begin(agent('a', scripts.succeeds(), inside));
    await simulation.create({ id: 't1', agent: 'a' });
    await simulation.untilState('t1', 'done');
    const moves = simulation
      .eventsOf('t1')
      .flatMap(({ actor, transitions }) =>
        transitions.filter(({ entity }) => entity === 'task').map(({ from, to }) => [actor, from, to]),
      );
    expect(moves).toEqual([
      ['user:test', null, 'pending'],
      ['supervisor', 'pending', 'claimed'],
      ['supervisor', 'claimed', 'working'],
      ['agent:a', 'working', 'working'],
      ['supervisor', 'working', 'review'],
      ['supervisor', 'review', 'done'],
    ]);
    expect(simulation.log.messages.map(({ subject }) => subject).slice(-2)).toEqual([
      'signalbox.v1.evt.demo.task.t1.created.claimed.attempt_started',
      'signalbox.v1.evt.demo.task.t1.output_added.attempt_ended.approved',
    ]);
    const ids = simulation.eventsOf('t1').map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
  });

  it('leave the approval to a user, to the children or to a reviewer if the task says so', async () => {
    const agents = [
      agent('a', scripts.succeeds(), inside),
      agent('r', script({ outputs: ['{"verdict":"approve"}'] })),
    ];
    const simulation = await Simulation.begin({ agents });
    for (const [id, review] of [
      ['manual', 'manual'],
      ['reviewed', 'r'],
    ] as const) {
      await simulation.create({ id, agent: 'a', review });
      await simulation.untilState(id, 'review');
      expect(messagesOf(simulation, id).at(-1)).toEqual(['task.output_added', 'attempt.ended']);
    }
    await simulation.untilState('reviewed', 'done');
  });
});

describe('a new task', () => {
  it('overtakes no task of a queue that has just been resumed', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    const queue = { kind: 'agent', name: 'a' } as const;
    await simulation.answer(decideQueue(simulation.app, queue, 'pause', {}, 'user:ann'));
    await simulation.create({ id: 'first', agent: 'a' });
    void decideQueue(simulation.app, queue, 'resume', {}, 'user:ann');
    await simulation.create({ id: 'second', agent: 'a' });
    await simulation.untilState('second', 'done');
    expect(claimed(simulation)).toEqual(['first', 'second']);
  });

  it('overtakes no task that has become pending by an event that is not stored yet', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await simulation.create({ id: 'blocked', agent: 'a', delay_seconds: 60 });
    await simulation.answer(decideTask(simulation.app, 'block', { project: 'demo', id: 'blocked' }, 'wait'));
    void decideTask(simulation.app, 'unblock', { project: 'demo', id: 'blocked' }, 'go on');
    await simulation.create({ id: 'new', agent: 'a' });
    await simulation.untilState('new', 'done');
    expect(claimed(simulation)).toEqual(['blocked', 'new']);
  });

  it('waits its turn if it counts for a budget or has a parent', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a')] });
    await simulation.create({ id: 'costly', agent: 'a', budget: { attempts: 1 } });
    await simulation.untilState('costly', 'done');
    expect(messagesOf(simulation, 'costly')[0]).toEqual(['task.created']);
  });
});
