/** How attempts end, in simulated time: by their message, by their process, by a decision about their task. */
import { describe, expect, it } from 'vitest';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

async function given(run: Script, changes: Parameters<Simulation['create']>[0] = {}): Promise<Simulation> {
  const simulation = await Simulation.begin({
    agents: [agent('a', inTurn(run, scripts.succeeds()), { lingerMs: 3_000, timeoutMs: 20_000 })],
  });
  await simulation.create({ id: 't', agent: 'a', ...changes });
  return simulation;
}

describe('an agent that has reported its result', () => {
  it('is ended after its linger time if it does not exit, and its result counts', async () => {
    const simulation = await given(scripts.lingers(500));
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(1);
    expect(simulation.find('t', 'attempt.stop_requested')).toMatchObject({ reason: 'lingering' });
    expect(simulation.processes.alive()).toEqual([]);
  });

  it('may exit by itself if it reported just before its deadline', async () => {
    const run = script({
      runsMs: 20_500,
      words: [
        { atMs: 19_000, say: 'output' },
        { atMs: 19_500, say: 'review' },
      ],
    });
    const simulation = await given(run);
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'completed', exit_code: 0 });
  });

  it('counts if the message was accepted while the attempt was being ended for its deadline', async () => {
    const run = script({
      runsMs: null,
      stopMs: 900,
      words: [
        { atMs: 20_100, say: 'output' },
        { atMs: 20_200, say: 'review' },
      ],
    });
    const simulation = await given(run);
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.stop_requested')).toMatchObject({ reason: 'timeout' });
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'completed' });
  });

  it('is tried again after a reported failure, once its process has ended', async () => {
    const simulation = await given(scripts.says('failed', 500, 30_000));
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(2);
    const [first] = simulation.app.state.projections.attempts.byTask.get('demo/t') ?? [];
    expect(first).toMatchObject({ outcome: 'failed', stopReason: 'lingering' });
  });

  it('holds the task after it reported to be blocked, until a user unblocks it', async () => {
    const simulation = await given(scripts.says('blocked'));
    await simulation.untilState('t', 'blocked');
    await simulation.advance(60_000);
    expect(simulation.task('t')).toMatchObject({
      state: 'blocked',
      openAttempt: null,
      lastOutcome: 'completed',
    });
    await simulation.decide('unblock', 't');
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(2);
  });

  it('is ended also if it was adopted in the meantime', async () => {
    const simulation = await given(scripts.lingers(500));
    await simulation.untilState('t', 'review');
    simulation.crash();
    await simulation.restart();
    await simulation.untilState('t', 'done', 5_000);
  });
});

describe('a rejected review', () => {
  it('starts the next attempt only when the process of the last one has ended', async () => {
    const simulation = await given(scripts.lingers(500), { review: 'manual' });
    await simulation.untilState('t', 'review');
    await simulation.decide('reject', 't');
    expect(simulation.task('t')).toMatchObject({ state: 'pending', openAttempt: 1 });
    await simulation.until(() => simulation.task('t').attempts === 2);
    expect(simulation.processes.find('demo/t/1')?.end).not.toBeNull();
  });
});

describe('a cancelled task', () => {
  it.each([
    ['claimed', script({ startMs: 2_000, runsMs: null })],
    ['working', scripts.hangs()],
    ['review', scripts.lingers(500)],
  ] as const)('that was %s has its run ended, and stays cancelled', async (state, run) => {
    const simulation = await given(run);
    await simulation.untilState('t', state);
    await simulation.decide('cancel', 't');
    await simulation.until(() => simulation.task('t').openAttempt === null, 5_000);
    await simulation.advance(60_000);
    expect(simulation.task('t')).toMatchObject({ state: 'cancelled', attempts: 1, lastOutcome: 'cancelled' });
    expect(simulation.processes.alive()).toEqual([]);
  });

  it('never starts if it was scheduled', async () => {
    const simulation = await given(scripts.succeeds(), { delay_seconds: 10 });
    await simulation.decide('cancel', 't');
    await simulation.advance(60_000);
    expect(simulation.task('t')).toMatchObject({ state: 'cancelled', attempts: 0 });
  });
});

describe('a success that meets a decision about its task', () => {
  it.each([
    ['cancel', 'cancelled'],
    ['block', 'blocked'],
  ] as const)('is no failure of the agent: %s', async (decision, state) => {
    const simulation = await given(scripts.succeeds(1_000));
    await simulation.untilState('t', 'working');
    simulation.log.reachable = false;
    const decided = simulation.decide(decision, 't');
    await simulation.advance(5_000);
    simulation.log.reachable = true;
    await decided;
    await simulation.until(() => simulation.task('t').openAttempt === null, 5_000);
    expect(simulation.task('t').state).toBe(state);
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'cancelled', exit_code: 0 });
    expect(simulation.find('t', 'attempt.stop_requested')).toBeUndefined();
    expect(simulation.app.state.host.get('agent', 'a')?.context.failures).toBe(0);
  });

  it('counts if it was decided first', async () => {
    const simulation = await given(scripts.succeeds(1_000), { review: 'manual' });
    await simulation.untilState('t', 'working');
    simulation.log.reachable = false;
    await simulation.advance(5_000);
    simulation.app.log.decide({ type: 'task.cancelled', project: 'demo', task: 't' }, { actor: 'user:test' });
    simulation.log.reachable = true;
    await simulation.untilState('t', 'cancelled');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'completed', exit_code: 0 });
  });
});

describe('a task that a user blocks while it is running', () => {
  it('has its attempt ended, and continues with a new one when it is unblocked', async () => {
    const simulation = await given(scripts.hangs());
    await simulation.untilState('t', 'working');
    await simulation.decide('block', 't');
    await simulation.until(() => simulation.task('t').openAttempt === null, 5_000);
    expect(simulation.task('t').state).toBe('blocked');
    await simulation.decide('unblock', 't');
    await simulation.untilState('t', 'done');
  });
});

describe('a shutdown that ends the agents', () => {
  it('leaves nothing running, and the next Signalbox tries again', async () => {
    const simulation = await given(scripts.hangs());
    await simulation.untilState('t', 'working');
    const engine = simulation.node?.engine;
    engine?.drain('a test');
    engine?.supervisor.stopAll();
    await simulation.answer(engine?.whenIdle('all') ?? Promise.resolve());
    expect(simulation.processes.alive()).toEqual([]);
    simulation.crash();
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(2);
  });

  it('keeps the result of an agent that had reported it', async () => {
    const simulation = await given(scripts.lingers(500));
    await simulation.untilState('t', 'review');
    simulation.node?.engine.supervisor.stopAll();
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(1);
  });
});
