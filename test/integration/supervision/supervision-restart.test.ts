/** What a restarted Signalbox makes of attempts that were open, in simulated time. */
import { describe, expect, it } from 'vitest';
import type { WorkspaceSettings } from '../../../src/engine/supervisor/workspaces/workspace-settings.ts';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import type { SimulatedAgent } from '../../support/simulation/node.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';
import { decideTask } from '../../support/simulation/use-cases.ts';

const WORKSPACE: WorkspaceSettings = {
  repository: '/repository',
  base: undefined,
  branch: 'signalbox/{project}/{task}',
  setUp: [],
  setUpTimeoutMs: 60_000,
  env: {},
  onApprove: null,
  keepMs: 0,
};

/** Task `t`, which is claimed; its process begins a second after the claim, and its start is known after another. */
async function givenClaim(run: Script, settings: Partial<SimulatedAgent> = {}): Promise<Simulation> {
  const agents = [agent('a', inTurn({ ...run, startMs: 2_000 }, scripts.succeeds()), settings)];
  const simulation = await Simulation.begin({ agents });
  await simulation.create({ id: 't', agent: 'a' });
  return simulation;
}

async function crashAfter(simulation: Simulation, ms: number): Promise<void> {
  await simulation.advance(ms);
  simulation.crash();
}

describe('an attempt whose start is in the log', () => {
  it('is adopted while it runs: the same process, the same attempt', async () => {
    const simulation = await givenClaim(scripts.succeeds(30_000));
    await crashAfter(simulation, 5_000);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(1);
    expect(simulation.clock.passed).toBeLessThan(32_000);
  });

  it('is recorded with its result if it ended while Signalbox was not running', async () => {
    const simulation = await givenClaim(scripts.succeeds(5_000));
    await crashAfter(simulation, 3_000);
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.untilState('t', 'done', 1_000);
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'completed', exit_code: 0 });
    expect(simulation.task('t').outputs).toHaveLength(1);
  });

  it('attempts/started-at-most-once: is lost if no trace of it is left, and not started again', async () => {
    const simulation = await givenClaim(scripts.hangs());
    await crashAfter(simulation, 3_000);
    simulation.processes.endAll(true);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({
      attempt: 1,
      outcome: 'lost',
      error: 'its start is in the log, and no trace of it is left',
    });
  });

  it('is lost with the machine, and tried again', async () => {
    const simulation = await givenClaim(scripts.hangs());
    await crashAfter(simulation, 3_000);
    simulation.processes.endAll(false);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'lost' });
  });

  it('is lost if its agent runs in the process of Signalbox', async () => {
    const simulation = await givenClaim(scripts.hangs(), { adoptable: false });
    await crashAfter(simulation, 3_000);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ outcome: 'lost' });
  });

  it('is supervised even if its agent is no longer configured', async () => {
    const simulation = await givenClaim(scripts.succeeds(30_000));
    await crashAfter(simulation, 3_000);
    await simulation.restart([agent('b')]);
    expect(simulation.model.stateOf('agent', 'a')).toBe('offline');
    await simulation.untilState('t', 'done');
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({ agent: 'a', outcome: 'completed' });
  });

  it('is stopped again if a stop was requested', async () => {
    const simulation = await givenClaim(script({ runsMs: null, stopMs: 900 }));
    await simulation.advance(3_000);
    await simulation.decide('cancel', 't');
    simulation.log.faults.set(simulation.log.appends + 1, 'unanswered');
    await simulation.until(() => simulation.node === null);
    expect(simulation.typesOf('t').at(-1)).toBe('attempt.stop_requested');
    await simulation.restart();
    await simulation.until(() => simulation.task('t').openAttempt === null, 2_000);
    expect(simulation.task('t').lastOutcome).toBe('cancelled');
  });
});

describe('an attempt whose task a user has given up just before Signalbox died', () => {
  async function crashAfterDecision(decision: 'cancel' | 'block', ms: number): Promise<Simulation> {
    const simulation = await givenClaim(scripts.hangs());
    await simulation.advance(ms);
    simulation.log.faults.set(simulation.log.appends + 1, 'unanswered');
    const { app } = simulation;
    void decideTask(app, decision, { project: 'demo', id: 't' }, 'enough');
    await simulation.until(() => simulation.node === null);
    await simulation.restart();
    return simulation;
  }

  it.each(['cancel', 'block'] as const)('is stopped if it runs (%s)', async (decision) => {
    const simulation = await crashAfterDecision(decision, 3_000);
    await simulation.until(() => simulation.task('t').openAttempt === null, 2_000);
    expect(simulation.processes.alive()).toEqual([]);
  });

  it('is stopped if it had reported a result that a user rejected', async () => {
    const simulation = await givenClaim(scripts.lingers(), { lingerMs: 60_000 });
    await simulation.untilState('t', 'review');
    await simulation.decide('reject', 't');
    simulation.log.traps.set('attempt_stop_requested', 'lost');
    void decideTask(simulation.app, 'block', { project: 'demo', id: 't' }, 'enough');
    await simulation.until(() => simulation.node === null);
    await simulation.restart();
    await simulation.until(() => simulation.task('t').openAttempt === null, 2_000);
    expect(simulation.find('t', 'attempt.stop_requested')).toMatchObject({ reason: 'operator' });
  });

  it('is not started if it never began', async () => {
    const simulation = await crashAfterDecision('cancel', 500);
    await simulation.until(() => simulation.task('t').openAttempt === null, 2_000);
    expect(simulation.processes.find('demo/t/1')).toBeUndefined();
  });
});

describe('an attempt whose start is not in the log', () => {
  it('attempts/started-at-most-once: is started if it never began', async () => {
    const simulation = await givenClaim(scripts.succeeds());
    await crashAfter(simulation, 500);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(1);
  });

  it('is lost if it never began and its agent is no longer configured', async () => {
    const simulation = await givenClaim(scripts.succeeds());
    await crashAfter(simulation, 500);
    await simulation.restart([agent('b')]);
    await simulation.untilState('t', 'scheduled', 1_000);
    expect(simulation.find('t', 'attempt.ended')).toMatchObject({
      outcome: 'lost',
      error: 'agent a is not configured any more',
    });
  });

  it('is adopted if it runs, and its start is recorded', async () => {
    const simulation = await givenClaim(scripts.succeeds(20_000));
    await crashAfter(simulation, 1_500);
    expect(simulation.typesOf('t')).not.toContain('attempt.started');
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').attempts).toBe(1);
    const pid = simulation.processes.find('demo/t/1')?.pid;
    expect(simulation.find('t', 'attempt.started')).toMatchObject({ pid });
  });

  it('counts if it ended successfully while Signalbox was not running', async () => {
    const simulation = await givenClaim(scripts.succeeds(5_000));
    await crashAfter(simulation, 1_500);
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.untilState('t', 'done', 1_000);
    expect(simulation.task('t')).toMatchObject({ attempts: 1, lastOutcome: 'completed' });
    expect(simulation.typesOf('t')).toContain('attempt.started');
  });

  it('attempts/started-at-most-once: is not started if it is to be stopped', async () => {
    const simulation = await givenClaim(scripts.hangs());
    await simulation.advance(500);
    await simulation.decide('cancel', 't');
    await simulation.advance(10);
    simulation.crash();
    await simulation.restart();
    await simulation.until(() => simulation.task('t').openAttempt === null, 2_000);
    expect(simulation.processes.find('demo/t/1')).toBeUndefined();
  });

  it('attempts/started-at-most-once: is not started if the stop was decided before the claim was stored', async () => {
    const simulation = await Simulation.begin({ agents: [agent('a', scripts.hangs())], storeMs: 500 });
    const isClaimed = (): boolean => simulation.app.state.host.get('task', 'demo/t')?.state === 'claimed';
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1, delay_seconds: 5 });
    await simulation.until(isClaimed);
    expect(simulation.model.stateOf('task', 'demo/t')).toBe('pending');
    simulation.node?.engine.supervisor.stopAll();
    await simulation.untilState('t', 'failed', 2_000);
    expect(simulation.processes.find('demo/t/1')).toBeUndefined();
  });
});

describe('a second Signalbox that takes over', () => {
  it('adopts running attempts; the first one does nothing more when it wakes', async () => {
    const simulation = await givenClaim(scripts.succeeds(30_000));
    await simulation.advance(5_000);
    const first = simulation.node;
    first?.clock.pause();
    await simulation.restart();
    const takenOver = simulation.records.length;
    first?.clock.resume();
    await simulation.untilState('t', 'done');
    const writers = simulation.records.slice(takenOver).map(({ id }) => id.split('-')[0]);
    expect(new Set(writers)).toEqual(new Set([simulation.node?.writer]));
    expect(first?.engine.journalState.kind).toBe('fenced');
    expect(simulation.task('t').attempts).toBe(1);
  });

  it('has the workspaces: the first one, which was about to record a removal, removes none any more', async () => {
    const run = inTurn(scripts.throwsAtStart(), scripts.succeeds(60_000));
    const simulation = await Simulation.begin({ agents: [agent('a', run, { workspace: WORKSPACE })] });
    const { trees } = simulation.trees;
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.until(() => simulation.find('t', 'workspace.removal_requested') !== undefined);
    await simulation.until(() => !trees.has('demo/t'));
    const first = simulation.node;
    first?.clock.pause();
    await simulation.restart();
    await simulation.until(() => simulation.find('t', 'workspace.removed') !== undefined);
    await simulation.decide('retry', 't');
    await simulation.untilState('t', 'working');
    first?.clock.resume();
    await simulation.advance(20_000);
    expect(first?.engine.journalState.kind).toBe('fenced');
    expect(trees.has('demo/t')).toBe(true);
  });
});
