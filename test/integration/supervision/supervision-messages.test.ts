/** Messages of agents that arrive too early, too late, or twice, in simulated time. */
import { describe, expect, it } from 'vitest';
import { SignalboxError } from '../../../src/contracts/errors.ts';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import { type Script, script, scripts, type Word } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';
import { speak } from '../../support/simulation/use-cases.ts';

async function given(...list: readonly [Script, ...Script[]]): Promise<Simulation> {
  return Simulation.begin({ agents: [agent('a', inTurn(...list))], storeMs: 100 });
}

/** What Signalbox answers to a message of an attempt: `ok`, or the code of the error. */
async function answerTo(simulation: Simulation, attempt: number, say: Word['say']): Promise<string> {
  const token = simulation.app.supervision.tokens.tokenOf({ project: 'demo', task: 't', attempt });
  const word = speak(simulation.app, { project: 'demo', task: 't', token }, { atMs: 0, say }, 'said');
  return simulation.answer(
    word.then(
      () => 'ok',
      (error: unknown) => (error instanceof SignalboxError ? error.code : String(error)),
    ),
  );
}

describe('a late message', () => {
  it.each(['working', 'heartbeat', 'output', 'review', 'failed', 'blocked', 'comment'] as const)(
    '(%s) of attempt 1 is refused and recorded while attempt 2 runs, and changes nothing',
    async (say) => {
      const simulation = await given(scripts.fails(), scripts.hangs());
      await simulation.create({ id: 't', agent: 'a' });
      await simulation.until(
        () => simulation.typesOf('t').filter((type) => type === 'attempt.started').length === 2,
      );
      const before = simulation.task('t');
      expect(await answerTo(simulation, 1, say)).toBe('stale_attempt');
      expect(simulation.find('t', 'attempt.message_rejected')).toMatchObject({
        attempt: 1,
        reason: 'attempt 1 is over: task t is working, its open attempt is 2',
      });
      expect(simulation.task('t')).toEqual(before);
    },
  );

  it('is rejected while its attempt is being ended after a cancellation', async () => {
    const simulation = await given(script({ runsMs: null, stopMs: 900 }));
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'working');
    await simulation.decide('cancel', 't');
    expect(simulation.task('t').openAttempt).toBe(1);
    expect(await answerTo(simulation, 1, 'output')).toBe('stale_attempt');
  });

  it('is recorded a limited number of times, so that a runaway agent does not fill the log', async () => {
    const simulation = await given(scripts.fails(), scripts.hangs());
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.until(() => simulation.task('t').attempts === 2);
    for (let count = 0; count < 40; count++) {
      expect(await answerTo(simulation, 1, 'working')).toBe('stale_attempt');
    }
    const recorded = simulation.typesOf('t').filter((type) => type === 'attempt.message_rejected');
    expect(recorded).toHaveLength(20);
  });
});

describe('an early message', () => {
  it('waits until the start of its attempt is recorded', async () => {
    const simulation = await given(scripts.hangs());
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.until(() => simulation.processes.alive().length === 1);
    expect(simulation.task('t').state).toBe('claimed');
    expect(await answerTo(simulation, 1, 'output')).toBe('ok');
    expect(simulation.typesOf('t').slice(-2)).toEqual(['attempt.started', 'task.output_added']);
  });

  it('is rejected if its attempt is over before its start was recorded', async () => {
    const simulation = await given({ ...scripts.throwsAtStart(), startMs: 500 }, scripts.hangs());
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'claimed');
    expect(await answerTo(simulation, 1, 'output')).toBe('stale_attempt');
  });

  it('gets a retryable error if the start is not recorded in time', async () => {
    const simulation = await given({ ...scripts.hangs(), startMs: 60_000 });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'claimed');
    expect(await answerTo(simulation, 1, 'output')).toBe('log_unavailable');
  });
});

describe('a message that arrives twice', () => {
  it('counts once if it submits the result', async () => {
    const simulation = await given(scripts.hangs());
    await simulation.create({ id: 't', agent: 'a', outputs: 'optional' });
    await simulation.untilState('t', 'working');
    expect(await answerTo(simulation, 1, 'review')).toBe('ok');
    expect(await answerTo(simulation, 1, 'review')).toBe('ok');
    expect(simulation.typesOf('t').filter((type) => type === 'task.submitted')).toHaveLength(1);
  });

  it('is rejected the second time if the first one ended the attempt', async () => {
    const simulation = await given(scripts.hangs());
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'working');
    expect(await answerTo(simulation, 1, 'failed')).toBe('ok');
    expect(await answerTo(simulation, 1, 'failed')).toBe('stale_attempt');
  });
});
