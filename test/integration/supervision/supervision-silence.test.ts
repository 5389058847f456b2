/** Silence in simulated time: an agent is suspected before it is stopped, and trusted again when it shows life. */
import { describe, expect, it } from 'vitest';
import { extendAttempt } from '../../../src/app/attempts/attempts.ts';
import { agent } from '../../support/simulation/agent.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

/** An agent that may be silent for ten seconds. */
async function givenAgent(run: Script): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents: [agent('a', run, { silenceMs: 10_000 })] });
  await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
  await simulation.untilState('t', 'working');
  return simulation;
}

function attemptState(simulation: Simulation): string | undefined {
  return simulation.app.state.host.get('attempt', 'demo/t/1')?.state;
}

describe('a silent agent', () => {
  it('is suspected after half of the allowed silence and stopped after all of it; the attempt has timed out', async () => {
    const simulation = await givenAgent(scripts.hangs());
    await simulation.advance(4_900);
    expect(attemptState(simulation)).toBe('running');
    await simulation.advance(200);
    expect(attemptState(simulation)).toBe('suspected');
    await simulation.advance(4_700);
    expect(attemptState(simulation)).toBe('suspected');
    await simulation.untilState('t', 'failed', 1_000);
    expect(simulation.task('t')).toMatchObject({
      lastOutcome: 'timed_out',
      reason: 'it showed no sign of life for too long',
    });
  });

  it('is never suspected while it prints', async () => {
    const printsAt = Array.from({ length: 10 }, (_, index) => index * 4_000);
    const simulation = await givenAgent(script({ runsMs: 40_000, printsAt }));
    await simulation.untilState('t', 'done');
    expect(simulation.typesOf('t')).not.toContain('attempt.suspected');
  });

  it('recovers when it prints, and then has the whole allowed silence again', async () => {
    const simulation = await givenAgent(scripts.hangs([7_000]));
    await simulation.advance(10_100);
    expect(attemptState(simulation)).toBe('running');
    expect(simulation.find('t', 'attempt.recovered')).toMatchObject({ evidence: 'output' });
    await simulation.advance(6_500);
    expect(attemptState(simulation)).toBe('suspected');
    await simulation.untilState('t', 'failed', 1_000);
  });

  it('recovers at once when it sends a heartbeat', async () => {
    const simulation = await givenAgent(script({ runsMs: null, words: [{ atMs: 7_000, say: 'heartbeat' }] }));
    await simulation.advance(6_900);
    expect(attemptState(simulation)).toBe('suspected');
    await simulation.advance(200);
    expect(attemptState(simulation)).toBe('running');
    expect(simulation.find('t', 'attempt.recovered')).toMatchObject({ evidence: 'heartbeat' });
  });

  it('uses the limit of its task before that of the agent', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.hangs(), { silenceMs: 10_000 })],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1, silence_timeout_seconds: 2 });
    await simulation.untilState('t', 'failed', 3_000);
  });

  it('is suspected first, also if the clock was set forward past the limit', async () => {
    const simulation = await givenAgent(scripts.hangs());
    await simulation.advance(1_000);
    simulation.clock.jump(30_000);
    await simulation.until(() => attemptState(simulation) === 'suspected', 60_000);
    await simulation.advance(4_900);
    expect(attemptState(simulation)).toBe('suspected');
    await simulation.untilState('t', 'failed', 1_000);
  });
});

describe('a restart', () => {
  it('does not count the time in which Signalbox was not running', async () => {
    const simulation = await givenAgent(scripts.hangs());
    await simulation.advance(3_000);
    simulation.crash();
    await simulation.advance(50_000);
    await simulation.restart();
    await simulation.advance(4_900);
    expect(attemptState(simulation)).toBe('running');
    await simulation.advance(200);
    expect(attemptState(simulation)).toBe('suspected');
  });

  it('names the restart as the evidence for a recovered agent', async () => {
    const simulation = await givenAgent(scripts.hangs());
    await simulation.advance(6_000);
    expect(attemptState(simulation)).toBe('suspected');
    simulation.crash();
    await simulation.restart();
    await simulation.advance(10);
    expect(simulation.find('t', 'attempt.recovered')).toMatchObject({
      evidence: 'Signalbox was restarted meanwhile',
    });
  });
});

describe('more time', () => {
  const extend = (simulation: Simulation, seconds: number, attempt = 1): Promise<unknown> =>
    simulation.answer(
      extendAttempt(simulation.app, { project: 'demo', task: 't', attempt }, { seconds }, 'user:ann'),
    );

  it('lets a suspected agent be silent until then, also over a restart', async () => {
    const simulation = await givenAgent(scripts.hangs());
    await simulation.advance(6_000);
    expect(attemptState(simulation)).toBe('suspected');
    await extend(simulation, 60);
    expect(attemptState(simulation)).toBe('running');
    await simulation.advance(20_000);
    simulation.crash();
    await simulation.restart();
    await simulation.advance(34_000);
    expect(attemptState(simulation)).toBe('running');
    await simulation.advance(2_000);
    expect(attemptState(simulation)).toBe('suspected');
    expect(simulation.task('t').state).toBe('working');
    await simulation.untilState('t', 'failed', 6_000);
  });

  it('moves the deadline, each time from where it was, and counts what is not stored yet', async () => {
    const simulation = await Simulation.begin({
      agents: [agent('a', scripts.hangs(), { timeoutMs: 30_000 })],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'working');
    const began = simulation.clock.now();
    await Promise.all([extend(simulation, 10), extend(simulation, 20)]);
    await simulation.advance(59_000);
    expect(simulation.task('t').state).toBe('working');
    await simulation.untilState('t', 'failed', 5_000);
    const stop = simulation.eventsOf('t').find(({ event }) => event.type === 'attempt.stop_requested');
    expect(stop?.time).toBeGreaterThanOrEqual(began + 60_000 - 1_000);
    expect(stop?.event).toMatchObject({ reason: 'timeout' });
  });

  it('is refused before the start, for an attempt that is being stopped, has reported or is over', async () => {
    const simulation = await givenAgent(script({ runsMs: null, words: [{ atMs: 100, say: 'failed' }] }));
    await simulation.untilState('t', 'failed');
    const before = simulation.records.length;
    await expect(extend(simulation, 10)).rejects.toMatchObject({ code: 'illegal_transition' });
    await expect(extend(simulation, 10, 2)).rejects.toMatchObject({ code: 'not_found' });
    expect(simulation.records.length).toBe(before);
  });
});
