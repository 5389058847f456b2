/** Follow-ups and parents, in simulated time. */
import { describe, expect, it } from 'vitest';
import { redriveDeadLetters } from '../../../src/app/tasks/dead-letters.ts';
import { cancelTask } from '../../../src/app/tasks/decide-task.ts';
import type { TaskAnswer } from '../../../src/contracts/api/answers.ts';
import { redriveSchema } from '../../../src/contracts/api/requests.ts';
import { agent } from '../../support/simulation/agent.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation, type SimulationOptions } from '../../support/simulation/simulation.ts';

type Run = (order: { task: string; attempt: number }) => Script;

async function given(run: Run = () => scripts.succeeds(), options: Partial<SimulationOptions> = {}) {
  return Simulation.begin({ agents: [agent('a', run, { concurrency: 9 })], ...options });
}

describe('follow-ups', () => {
  const follow_ups = [
    {
      title: 'check {{title}}',
      description: 'of {{task_id}}:\n{{outputs}}',
      agent: 'a',
      outputs: 'required',
    },
    { title: 'later', description: '', agent: 'a', outputs: 'required', delay_seconds: 60 },
  ] as const;

  it('are created when the task is done, with its outputs', async () => {
    const simulation = await given();
    await simulation.create({ id: 't', title: 'it', agent: 'a', follow_ups: [...follow_ups] });
    await simulation.untilState('t', 'done');
    await simulation.untilState('t-f1', 'done');
    expect(simulation.task('t-f1').spec).toMatchObject({
      title: 'check it',
      description: 'of t:\noutput of a:\na result',
      source: 'follow-up of t',
    });
    expect(simulation.task('t-f2').state).toBe('scheduled');
  });

  it('are not created when it fails', async () => {
    const simulation = await given(() => scripts.fails());
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1, follow_ups: [...follow_ups] });
    await simulation.untilState('t', 'failed');
    await simulation.advance(10_000);
    expect(simulation.model.tasks.size).toBe(1);
  });

  it.each(['lost', 'unanswered'] as const)(
    'are created once if Signalbox crashes between the end and their creation (%s)',
    async (fault) => {
      for (let after = 1; after <= 4; after++) {
        const simulation = await given();
        await simulation.create({ id: 't', agent: 'a', follow_ups: [...follow_ups] });
        await simulation.untilState('t', 'working');
        simulation.log.faults.set(simulation.log.appends + after, fault);
        await simulation.until(() => simulation.node === null);
        await simulation.advance(1_000);
        await simulation.restart();
        await simulation.untilState('t-f2', 'done');
        expect(simulation.typesOf('t-f1').filter((type) => type === 'task.created')).toHaveLength(1);
      }
    },
  );

  it('start their delay at the end of the task, even if they are created later', async () => {
    const simulation = await given();
    await simulation.create({ id: 't', agent: 'a', follow_ups: [...follow_ups] });
    await simulation.untilState('t', 'working');
    simulation.log.traps.set('approved', 'unanswered');
    await simulation.until(() => simulation.node === null);
    await simulation.advance(30_000);
    await simulation.restart();
    await simulation.untilState('t-f2', 'scheduled');
    expect(simulation.task('t-f2').dueAt).toBe((simulation.task('t').finishedAt ?? 0) + 60_000);
  });

  it('are created without the outputs if those do not fit in an event', async () => {
    const talkative = script({ outputs: ['much'.repeat(1_000)] });
    const simulation = await given(() => talkative, { limits: { maxEventBytes: 15_000 } });
    const description = '{{outputs}} '.repeat(5);
    const follow_up = { title: 'check', description, agent: 'a', outputs: 'required' } as const;
    await simulation.create({ id: 't', agent: 'a', follow_ups: [follow_up] });
    await simulation.until(() => simulation.model.tasks.has('demo/t-f1'));
    expect(simulation.task('t-f1').spec.description).toContain('(too large: see task t)');
  });
});

describe('a parent that joins its children', () => {
  /** The parent is quick, its children take five seconds. */
  const run: Run = ({ task }) => scripts.succeeds(task === 'parent' ? 1_000 : 5_000);

  it('waits in review until all of them are done', async () => {
    const simulation = await given(run);
    await simulation.create({ id: 'parent', agent: 'a', join: true });
    await simulation.create({ id: 'one', agent: 'a', parent: 'parent' });
    await simulation.create({ id: 'two', agent: 'a', parent: 'parent', delay_seconds: 20 });
    await simulation.untilState('one', 'done');
    await simulation.advance(1_000);
    expect(simulation.task('parent').state).toBe('review');
    await simulation.untilState('two', 'done');
    await simulation.advance(10);
    expect(simulation.task('parent').state).toBe('done');
  });

  it('waits for the follow-ups of its children', async () => {
    const simulation = await given(run);
    await simulation.create({ id: 'parent', agent: 'a', join: true });
    const follow_up = { title: 'after', description: '', agent: 'a', outputs: 'required' } as const;
    await simulation.create({ id: 'one', agent: 'a', parent: 'parent', follow_ups: [follow_up] });
    await simulation.untilState('one', 'done');
    await simulation.advance(1_000);
    expect(simulation.task('parent').state).toBe('review');
    await simulation.untilState('parent', 'done');
    expect(simulation.task('one-f1').state).toBe('done');
  });

  it('leaves the decision to a user if a child failed', async () => {
    const simulation = await given(({ task }) => (task === 'one' ? scripts.fails() : scripts.succeeds()));
    await simulation.create({ id: 'parent', agent: 'a', join: true });
    await simulation.create({ id: 'one', agent: 'a', parent: 'parent', max_attempts: 1 });
    await simulation.advance(60_000);
    expect(simulation.task('parent').state).toBe('review');
    await simulation.decide('approve', 'parent');
    expect(simulation.task('parent').state).toBe('done');
  });

  it('is done although Signalbox crashed before it was recorded', async () => {
    const simulation = await given(run);
    await simulation.create({ id: 'parent', agent: 'a', join: true });
    await simulation.create({ id: 'one', agent: 'a', parent: 'parent' });
    await simulation.untilState('one', 'working');
    simulation.log.traps.set('approved', 'unanswered');
    await simulation.until(() => simulation.node === null);
    expect(simulation.model.stateOf('task', 'demo/one')).toBe('done');
    await simulation.restart();
    await simulation.advance(10);
    expect(simulation.task('parent').state).toBe('done');
  });
});

describe('a task that is cancelled with everything below it', () => {
  const cancel = (simulation: Simulation, task: string): Promise<TaskAnswer> =>
    simulation.answer(
      cancelTask(
        simulation.app,
        { project: 'demo', task },
        { children: true, comment: 'enough' },
        'user:ann',
      ),
    );
  const ids = ['root', 'works', 'waits', 'below', 'done'] as const;

  /** A root with a child that works, one that waits, one that is done, and one below the second. */
  async function givenTree(): Promise<Simulation> {
    const simulation = await given(({ task }) => (task === 'done' ? scripts.succeeds() : scripts.hangs()));
    await simulation.create({ id: 'root', agent: 'a' });
    await simulation.create({ id: 'works', agent: 'a', parent: 'root' });
    await simulation.create({ id: 'waits', agent: 'a', parent: 'root', delay_seconds: 3_600 });
    await simulation.create({ id: 'below', agent: 'a', parent: 'waits' });
    await simulation.create({ id: 'done', agent: 'a', parent: 'root' });
    await simulation.untilState('done', 'done');
    return simulation;
  }

  it('is one event, from which the rest follows; what has ended stays as it is', async () => {
    const simulation = await givenTree();
    const { children } = await cancel(simulation, 'root');
    expect(children).toMatchObject({ total: 3, unsettled_below: 3 });
    await simulation.advance(5_000);
    expect(ids.map((id) => simulation.task(id).state)).toEqual([...Array(4).fill('cancelled'), 'done']);
    expect(simulation.find('root', 'task.cancelled')).toMatchObject({ children: true, reason: 'enough' });
    expect(simulation.find('below', 'task.cancelled')).toMatchObject({
      reason: 'it is below task root, which was cancelled with everything below it',
    });
    expect(simulation.processes.alive()).toEqual([]);
    await expect(simulation.create({ id: 'late', agent: 'a', parent: 'below' })).rejects.toMatchObject({
      code: 'illegal_transition',
    });
  });

  it.each(['lost', 'unanswered'] as const)(
    'is cancelled as a whole also if Signalbox crashes in between (%s)',
    async (fault) => {
      for (let after = 1; after <= 5; after++) {
        const simulation = await givenTree();
        simulation.log.faults.set(simulation.log.appends + after, fault);
        const cancelled = cancel(simulation, 'root').catch(() => null);
        await simulation.until(() => simulation.node === null);
        await simulation.advance(1_000);
        await simulation.restart();
        await cancelled;
        await simulation.advance(5_000);
        const states = ids.map((id) => simulation.task(id).state);
        const isWhole = states[0] === 'cancelled';
        expect(states.slice(0, 4)).toEqual(
          isWhole ? Array(4).fill('cancelled') : expect.not.arrayContaining(['cancelled']),
        );
      }
    },
  );

  it('lets no dead letter below it run again', async () => {
    const simulation = await given(({ task }) => (task === 'dead' ? scripts.fails() : scripts.hangs()));
    await simulation.create({ id: 'root', agent: 'a' });
    await simulation.create({ id: 'dead', agent: 'a', parent: 'root', max_attempts: 1 });
    await simulation.untilState('dead', 'failed');
    await cancel(simulation, 'root');
    await expect(simulation.decide('retry', 'dead')).rejects.toMatchObject({ code: 'illegal_transition' });
    const redriven = await simulation.answer(
      redriveDeadLetters(simulation.app, redriveSchema.parse({ all: true }), 'user:ann'),
    );
    expect(redriven).toMatchObject({ redriven: [], errors: [{ id: 'dead', code: 'illegal_transition' }] });
  });
});
