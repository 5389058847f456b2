/**
 * What golden histories are recorded from: a whole Signalbox in a simulated world goes through everything that can
 * happen to tasks, attempts, agents and itself. The same scenario gives the same log, byte by byte.
 *
 * Long because each scenario is one story.
 */

import { openQuestions } from '../../../projections/index.ts';
import { type AgentDecision, decideAgent } from '../../../src/app/agents/agents.ts';
import { killAttempt } from '../../../src/app/attempts/attempts.ts';
import { raiseBudget, registerBudgets } from '../../../src/app/budgets/budgets.ts';
import { decideQueue, type QueueDecision } from '../../../src/app/overview/queues.ts';
import { answerQuestion } from '../../../src/app/questions/questions.ts';
import { steerTask } from '../../../src/app/questions/steering.ts';
import {
  backfillSchedule,
  createSchedule,
  decideSchedule,
  type ScheduleDecision,
} from '../../../src/app/schedules/schedules.ts';
import { answerQuestionSchema } from '../../../src/contracts/api/questions.ts';
import type { QueueParts } from '../../../src/contracts/api/queue-name.ts';
import { createScheduleSchema } from '../../../src/contracts/api/schedules.ts';
import { budgetConfigSchema } from '../../../src/contracts/api/usage/budgets.ts';
import { agent, inTurn } from '../simulation/agent.ts';
import type { SimulatedAgent } from '../simulation/node.ts';
import { type Script, script, scripts, type Word } from '../simulation/script.ts';
import { Simulation } from '../simulation/simulation.ts';
import { decideTask, speak, type TaskDecision } from '../simulation/use-cases.ts';
import { NO_FAULTS } from '../workspaces/trees.ts';
import { operator } from './operator.ts';
import { proofs, redact } from './proofs.ts';

const PROJECT = 'demo';
const DAY_MS = 86_400_000;

const begin = (...agents: readonly SimulatedAgent[]): Promise<Simulation> => Simulation.begin({ agents });

function decide(
  simulation: Simulation,
  decision: TaskDecision,
  id: string,
  comment: string,
): Promise<unknown> {
  return simulation.answer(decideTask(simulation.app, decision, { project: PROJECT, id }, comment));
}

function tellAgent(simulation: Simulation, id: string, decision: AgentDecision): Promise<unknown> {
  const comment = `${decision} it`;
  return simulation.answer(decideAgent(simulation.app, id, decision, { comment }, 'user:ann'));
}

function tellQueue(simulation: Simulation, queue: QueueParts, decision: QueueDecision): Promise<unknown> {
  const isPause = decision === 'pause';
  const request = isPause ? { comment: 'too dear' } : {};
  const actor = isPause ? 'user:mia' : 'user:ann';
  return simulation.answer(decideQueue(simulation.app, queue, decision, request, actor));
}

async function shutDown(simulation: Simulation): Promise<void> {
  const { node } = simulation;
  node?.engine.drain('an upgrade');
  await simulation.answer(node?.engine.stop('an upgrade') ?? Promise.resolve());
  simulation.crash();
}

/** Words back, outputs, comments, a review that sends back, and one that does so until no attempt is left. */
async function reviews(): Promise<Simulation> {
  const run = script({
    outputs: [],
    usage: { input_tokens: 1_200, output_tokens: 340, cost_usd: 0.012 },
    words: [
      { atMs: 100, say: 'working' },
      { atMs: 200, say: 'comment' },
      { atMs: 300, say: 'output' },
      { atMs: 400, say: 'review' },
    ],
  });
  const simulation = await begin(agent('writer', run), agent('silent'));
  await simulation.create({
    id: 'letter',
    title: 'Write a letter',
    description: 'in two lines\u2028with "quotes" and 任务',
    agent: 'writer',
    review: 'manual',
    params: { tone: 'kind', 2: ['b'], 1: null },
    labels: { team: 'post' },
    must_haves: ['a date'],
    priority: 9,
  });
  await simulation.untilState('letter', 'review');
  await decide(simulation, 'reject', 'letter', 'the date is missing');
  await simulation.until(() => simulation.task('letter').attempts === 2);
  await simulation.untilState('letter', 'review');
  await decide(simulation, 'approve', 'letter', 'fine');
  await simulation.create({ id: 'poem', agent: 'silent', review: 'manual', max_attempts: 1 });
  await simulation.untilState('poem', 'review');
  await decide(simulation, 'reject', 'poem', 'does not rhyme');
  await decide(simulation, 'retry', 'poem', 'once more');
  await simulation.untilState('poem', 'review');
  await decide(simulation, 'approve', 'poem', 'good enough');
  return simulation;
}

const FAILURES: Readonly<Record<string, Script>> = {
  exits: scripts.fails(),
  dies: scripts.dies(),
  absent: scripts.throwsAtStart(),
  hangs: scripts.hangs([1_000, 9_000]),
  slow: scripts.hangs([1_000, 3_000, 5_000, 7_000, 9_000, 11_000, 13_000, 15_000]),
  confesses: scripts.says('failed'),
  stubborn: script({ runsMs: null, stopMs: 60_000, printsAt: [1_000] }),
  lingers: scripts.lingers(),
};

/** Every way in which an attempt ends badly, each with a retry that goes well, and a task that is given up. */
async function failures(): Promise<Simulation> {
  const scriptOf = ({ task, attempt }: { readonly task: string; readonly attempt: number }): Script =>
    (attempt === 1 ? FAILURES[task] : undefined) ??
    (task === 'hopeless' ? scripts.fails() : scripts.succeeds());
  const simulation = await begin(agent('worker', scriptOf, { concurrency: 4, silenceMs: 10_000 }));
  for (const id of ['exits', 'dies', 'absent', 'confesses', 'lingers']) {
    await simulation.create({ id, agent: 'worker', max_attempts: 2 });
    await simulation.untilState(id, 'done');
  }
  await simulation.create({ id: 'hangs', agent: 'worker', max_attempts: 2 });
  await simulation.create({ id: 'slow', agent: 'worker', max_attempts: 2, timeout_seconds: 12 });
  await simulation.create({ id: 'stubborn', agent: 'worker', max_attempts: 2 });
  await simulation.advance(3_000);
  const { app } = simulation;
  const killed = killAttempt(app, { project: PROJECT, task: 'stubborn', attempt: 1 }, {}, 'user:ann');
  await simulation.answer(killed);
  for (const id of ['stubborn', 'slow', 'hangs']) await simulation.untilState(id, 'done');
  const token = app.supervision.tokens.tokenOf({ project: PROJECT, task: 'slow', attempt: 1 });
  const late = speak(app, { project: PROJECT, task: 'slow', token }, { atMs: 0, say: 'output' }, 'too late');
  await simulation.answer(late.catch(() => {}));
  await simulation.create({ id: 'hopeless', agent: 'worker', max_attempts: 2 });
  await simulation.untilState('hopeless', 'failed');
  await simulation.create({ id: 'unwanted', agent: 'worker' });
  await simulation.untilState('unwanted', 'working');
  await decide(simulation, 'cancel', 'unwanted', 'not needed any more');
  await simulation.advance(5_000);
  return simulation;
}

/** Times, dependencies, blocks, families, follow-ups and budgets. */
async function waiting(): Promise<Simulation> {
  const scriptOf = ({ task, attempt }: { readonly task: string; readonly attempt: number }): Script => {
    if (task === 'base' && attempt === 1) return scripts.fails();
    if (task === 'puzzled' && attempt === 1) return scripts.says('blocked');
    return scripts.succeeds();
  };
  const simulation = await begin(agent('worker', scriptOf, { concurrency: 3, capabilities: ['build'] }));
  const inSeconds = (seconds: number): string =>
    new Date(simulation.clock.now() + seconds * 1_000).toISOString();
  await simulation.create({ id: 'other', agent: 'worker', delay_seconds: 3 });
  await simulation.create({ id: 'base', agent: 'worker', max_attempts: 1 });
  await simulation.create({ id: 'top', type: 'build', depends_on: ['base', 'other'] });
  await simulation.create({ id: 'late', agent: 'worker', delay_seconds: 8 });
  await simulation.create({ id: 'both', agent: 'worker', depends_on: ['other', 'late'] });
  await simulation.untilState('top', 'blocked');
  await decide(simulation, 'retry', 'base', 'it was the network');
  await simulation.untilState('top', 'done');
  await simulation.create({ id: 'held', agent: 'worker', delay_seconds: 60, expires_at: inSeconds(90) });
  await decide(simulation, 'block', 'held', 'wait for the contract');
  await decide(simulation, 'unblock', 'held', 'it is signed');
  await simulation.untilState('held', 'done');
  await simulation.create({ id: 'puzzled', agent: 'worker' });
  await simulation.untilState('puzzled', 'blocked');
  await simulation.advance(5_000);
  await decide(simulation, 'unblock', 'puzzled', 'use the second key');
  await simulation.untilState('puzzled', 'done');
  await simulation.create({ id: 'gate', agent: 'worker', delay_seconds: 100 });
  await simulation.create({ id: 'stale', agent: 'worker', depends_on: ['gate'], expires_at: inSeconds(10) });
  await simulation.untilState('stale', 'expired');
  await decide(simulation, 'retry', 'stale', 'it still matters');
  await simulation.create({
    id: 'parent',
    agent: 'worker',
    join: true,
    budget: { attempts: 3 },
    follow_ups: [
      {
        title: 'after {{task_id}}',
        description: '{{outputs}}',
        outputs: 'optional',
        type: 'build',
        review: 'auto',
      },
    ],
  });
  await simulation.create({ id: 'child', agent: 'worker', parent: 'parent' });
  await simulation.create({ id: 'dropped', agent: 'worker', parent: 'parent', delay_seconds: 500 });
  await simulation.advance(5_000);
  await decide(simulation, 'cancel', 'dropped', 'one is enough');
  await simulation.advance(60_000);
  return simulation;
}

/** Paused, drained, parked by failures and by a quota, probed, reconfigured and retired. */
async function agents(): Promise<Simulation> {
  const breaker = { failures: 2, cooldownMs: 30_000, maxCooldownMs: 100_000 };
  const quota = script({ result: { kind: 'exited', code: 1 }, outputs: [], quotaMs: 20_000 });
  const flaky = agent(
    'flaky',
    inTurn(scripts.fails(), scripts.fails(), scripts.fails(), scripts.succeeds()),
    {
      breaker,
    },
  );
  const limited = agent('limited', inTurn(quota, scripts.succeeds()), { breaker });
  const simulation = await begin(
    flaky,
    limited,
    agent('leaving', scripts.succeeds(20_000), { concurrency: 2 }),
  );
  await simulation.create({ id: 'hard', agent: 'flaky', max_attempts: 4 });
  await simulation.create({ id: 'costly', agent: 'limited', max_attempts: 3 });
  await simulation.create({ id: 'last', agent: 'leaving' });
  await simulation.untilState('last', 'working');
  await tellAgent(simulation, 'leaving', 'pause');
  await tellAgent(simulation, 'leaving', 'drain');
  await tellAgent(simulation, 'leaving', 'resume');
  await simulation.untilState('hard', 'done');
  await simulation.untilState('costly', 'done');
  await tellAgent(simulation, 'limited', 'pause');
  await simulation.create({ id: 'long', agent: 'leaving' });
  await simulation.untilState('long', 'working');
  simulation.crash();
  await simulation.restart([agent('flaky', scripts.succeeds(), { concurrency: 3 }), limited]);
  await simulation.untilState('long', 'done');
  await simulation.restart([agent('flaky'), agent('leaving')]);
  return simulation;
}

/** Killed at the worst moments and started again: adopted, ended meanwhile, never started, lost; then stopped in order. */
async function crashes(): Promise<Simulation> {
  const scriptOf = ({ task, attempt }: { readonly task: string; readonly attempt: number }): Script => {
    if (attempt > 1) return scripts.succeeds();
    if (task === 'lost') return scripts.hangs();
    return scripts.succeeds(task === 'adopted' ? 30_000 : 2_000);
  };
  const simulation = await begin(agent('worker', scriptOf, { concurrency: 2 }));
  await simulation.create({ id: 'adopted', agent: 'worker' });
  await simulation.create({ id: 'meanwhile', agent: 'worker' });
  await simulation.advance(1_000);
  simulation.crash();
  await simulation.advance(10_000);
  await simulation.restart();
  await simulation.untilState('adopted', 'done');
  await simulation.create({ id: 'unstarted', agent: 'worker', delay_seconds: 1 });
  simulation.log.traps.set('claimed', 'unanswered');
  await simulation.advance(2_000);
  await simulation.restart();
  await simulation.untilState('unstarted', 'done');
  await simulation.create({ id: 'lost', agent: 'worker' });
  await simulation.untilState('lost', 'working');
  simulation.crash();
  simulation.processes.endAll(true);
  await simulation.restart();
  await simulation.untilState('lost', 'done');
  await simulation.create({ id: 'across', agent: 'worker' });
  await simulation.untilState('across', 'working');
  await shutDown(simulation);
  await simulation.restart();
  await simulation.untilState('across', 'done');
  await simulation.create({ id: 'cut', agent: 'worker', max_attempts: 1 });
  await simulation.untilState('cut', 'working');
  simulation.app.supervision.supervisor.stopAll();
  await simulation.untilState('cut', 'failed');
  await shutDown(simulation);
  return simulation;
}

/** Paused and resumed, that of an agent and that of a type, over a kill; one is paused again, and stays so. */
async function queues(): Promise<Simulation> {
  const simulation = await begin(agent('worker', scripts.succeeds(), { capabilities: ['build'] }));
  const own = { kind: 'agent', name: 'worker' } as const;
  const build = { kind: 'type', name: 'build' } as const;
  await tellQueue(simulation, own, 'pause');
  await tellQueue(simulation, build, 'pause');
  await simulation.create({ id: 'own', agent: 'worker' });
  await simulation.create({ id: 'typed', type: 'build' });
  await tellQueue(simulation, own, 'resume');
  await simulation.untilState('own', 'done');
  simulation.crash();
  await simulation.restart();
  await simulation.advance(5_000);
  await tellQueue(simulation, build, 'resume');
  await simulation.untilState('typed', 'done');
  await tellQueue(simulation, build, 'pause');
  return simulation;
}

/**
 * Questions that are answered while the attempt waits, after it was parked, while it ends, that expire, for which nothing waits
 * any more and then again, and that are withdrawn; and steering.
 */
async function questions(): Promise<Simulation> {
  const asks = { atMs: 500, say: 'ask' } as const;
  const leaves: readonly Word[] = [
    { ...asks, question: 'q' },
    { atMs: 1_500, say: 'poll', question: 'q' },
    { atMs: 6_000, say: 'poll', question: 'q' },
    { atMs: 7_000, say: 'withdraw', question: 'q' },
  ];
  const scriptOf = ({ task, attempt }: { readonly task: string; readonly attempt: number }): Script => {
    if (attempt > 1) return scripts.succeeds();
    if (task === 'held') return script({ runsMs: 30_000, words: [asks, { atMs: 700, say: 'ask' }] });
    if (task === 'left') return script({ runsMs: 9_000, words: leaves });
    if (task === 'expires') return script({ runsMs: null, words: [{ ...asks, expiresMs: 8_000 }] });
    return script({ runsMs: null, words: [asks], stopMs: task === 'meanwhile' ? 800 : 100 });
  };
  const parks = { questions: { parkAfterMs: 4_000 } };
  const leaver = agent('leaver', scriptOf, { questions: { keepaliveMs: 3_000 } });
  const simulation = await begin(agent('holder', scriptOf), agent('parker', scriptOf, parks), leaver);
  const { app } = simulation;
  const answerFirst = async (): Promise<void> => {
    const [question] = openQuestions(app.state.projections.questions);
    if (!question) throw new Error('no question is open');
    const { project, task, id } = question;
    const answer = answerQuestionSchema.parse({ option: 'yes', comment: 'go on' });
    const caller = { actor: 'user:ann', token: null };
    await simulation.answer(answerQuestion(app, { project, task, question: id }, answer, caller));
  };
  await simulation.create({ id: 'held', agent: 'holder' });
  await simulation.until(() => openQuestions(app.state.projections.questions).length === 2);
  await simulation.advance(20_000);
  await answerFirst();
  await answerFirst();
  await simulation.untilState('held', 'done');
  await simulation.create({ id: 'parked', agent: 'parker', max_attempts: 1 });
  await simulation.untilState('parked', 'blocked');
  await simulation.answer(
    steerTask(app, { project: PROJECT, task: 'parked' }, { text: 'be quick' }, 'user:ann'),
  );
  await answerFirst();
  await simulation.untilState('parked', 'done');
  await simulation.create({ id: 'meanwhile', agent: 'parker' });
  await simulation.until(() => simulation.model.stateOf('attempt', 'demo/meanwhile/1') === 'stopping');
  await answerFirst();
  await simulation.untilState('meanwhile', 'done');
  await simulation.create({ id: 'expires', agent: 'parker' });
  await simulation.untilState('expires', 'done');
  await simulation.create({ id: 'dropped', agent: 'holder' });
  await simulation.until(() => openQuestions(app.state.projections.questions).length === 1);
  await decide(simulation, 'cancel', 'dropped', 'not needed any more');
  await simulation.advance(5_000);
  await simulation.create({ id: 'left', agent: 'leaver' });
  await simulation.untilState('left', 'done');
  return simulation;
}

/** Workspaces: made, set up at the second try, merged, in conflict and sent back, kept, and removed by name and over a crash. */
async function workspaces(): Promise<Simulation> {
  const workspace = {
    repository: '/repository',
    base: undefined,
    branch: 'signalbox/{project}/{task}',
    setUp: [['npm', 'ci']],
    setUpTimeoutMs: 60_000,
    env: {},
    onApprove: 'merge',
    keepMs: 5_000,
  } as const;
  const simulation = await begin(
    agent('coder', scripts.succeeds(), { workspace }),
    agent('writer', scripts.succeeds(), { workspace: { ...workspace, setUp: [], onApprove: null } }),
  );
  const { trees } = simulation;
  const settle = async (id: string, state: 'done' | 'failed' | 'pending' | 'review'): Promise<void> => {
    await simulation.untilState(id, state);
  };
  trees.faults = { ...NO_FAULTS, setUp: 100 };
  await simulation.create({ id: 'first', agent: 'coder', review: 'manual', max_attempts: 3 });
  await simulation.until(() => simulation.model.stateOf('attempt', 'demo/first/1') === 'spawn_failed');
  trees.faults = NO_FAULTS;
  await settle('first', 'review');
  trees.faults = { ...NO_FAULTS, merge: 100 };
  await decide(simulation, 'approve', 'first', 'fine');
  await simulation.until(() => simulation.task('first').reason !== null);
  trees.faults = NO_FAULTS;
  await decide(simulation, 'approve', 'first', 'once more');
  await settle('first', 'done');
  await simulation.create({ id: 'second', agent: 'coder', review: 'manual', max_attempts: 2 });
  await settle('second', 'review');
  trees.faults = { ...NO_FAULTS, conflict: 100 };
  await decide(simulation, 'approve', 'second', 'good');
  await simulation.until(() => simulation.task('second').attempts === 2);
  await settle('second', 'review');
  await decide(simulation, 'approve', 'second', 'good');
  await settle('second', 'failed');
  trees.faults = NO_FAULTS;
  await simulation.create({ id: 'third', agent: 'writer' });
  await settle('third', 'done');
  await simulation.advance(20_000);
  await simulation.create({ id: 'fourth', agent: 'coder' });
  await simulation.until(() => simulation.task('fourth').merging);
  await simulation.answer(
    decideTask(simulation.app, 'cancel', { project: PROJECT, id: 'fourth' }, 'too late').catch(() => {}),
  );
  simulation.crash();
  await simulation.restart();
  await settle('fourth', 'done');
  await simulation.advance(20_000);
  return simulation;
}

/** By name; each ends with its whole log in `log`. */
/** A used-up quota that costs no attempt, a schedule through all that can happen to it, and a budget for a day. */
async function limits(): Promise<Simulation> {
  const quota = script({ result: { kind: 'exited', code: 1 }, outputs: [], quotaMs: 20_000 });
  const usage = { model: 'opus-5', input_tokens: 2_500, output_tokens: 500, cache_read_tokens: 2_000 };
  const work = script({ usage });
  const simulation = await begin(agent('limited', inTurn(quota, quota, work)), agent('worker', work));
  const { app } = simulation;
  await simulation.create({ id: 'quota', agent: 'limited', review: 'auto', max_attempts: 1 });
  await simulation.untilState('quota', 'done');
  const nightly = createScheduleSchema.parse({
    id: 'nightly',
    project: PROJECT,
    cron: '0 2 * * *',
    zone: 'Europe/Berlin',
    overlap: 'buffer_one',
    task: { title: 'Report of {{nominal_date}}', agent: 'worker', review: 'auto' },
  });
  const steer = (decision: ScheduleDecision): Promise<unknown> =>
    simulation.answer(decideSchedule(app, 'nightly', decision, { comment: decision }, 'user:ann'));
  await simulation.answer(createSchedule(app, nightly, 'user:ann'));
  await simulation.advance(DAY_MS);
  await steer('pause');
  await simulation.advance(DAY_MS);
  await steer('trigger');
  await steer('resume');
  const until = new Date(app.environment.clock.now()).toISOString();
  const from = new Date(app.environment.clock.now() - DAY_MS).toISOString();
  await simulation.answer(backfillSchedule(app, 'nightly', { from, until }, 'user:ann'));
  await simulation.advance(DAY_MS);
  simulation.crash();
  await simulation.advance(2 * DAY_MS);
  await simulation.restart();
  await simulation.advance(60_000);
  await simulation.answer(decideSchedule(simulation.app, 'nightly', 'remove', {}, 'user:ann'));
  await budgets(simulation);
  return simulation;
}

async function budgets(simulation: Simulation): Promise<void> {
  const { app } = simulation;
  const daily = (tokens: number) => ({
    daily: budgetConfigSchema.parse({ period: 'day', zone: 'America/New_York', agent: 'worker', tokens }),
  });
  const work = async (id: string): Promise<void> => {
    await simulation.create({ id, agent: 'worker', review: 'auto' });
    await simulation.untilState(id, 'done');
  };
  await simulation.advance(DAY_MS);
  await simulation.answer(registerBudgets(app, daily(7_000)));
  for (const id of ['b1', 'b2', 'b3']) await work(id);
  await simulation.answer(raiseBudget(app, 'daily', { tokens: 15_000, comment: 'today' }, 'user:ann'));
  await simulation.advance(DAY_MS);
  await simulation.answer(registerBudgets(app, daily(3_000)));
  await simulation.answer(registerBudgets(app, daily(20_000)));
  await simulation.answer(registerBudgets(app, {}));
}

/** Events that are stored as one message: of tasks that need not wait, of runs inside Signalbox, and of ends. */
async function together(): Promise<Simulation> {
  const fails = ({ task }: { readonly task: string }): Script =>
    task === 'bad' ? scripts.fails() : scripts.succeeds(2_000);
  const simulation = await begin(
    agent('inside', fails, { adoptable: false }),
    agent('outside', scripts.succeeds(2_000)),
  );
  await simulation.create({ id: 'at-once', agent: 'inside' });
  await simulation.create({ id: 'queued', agent: 'inside' });
  await simulation.create({ id: 'reviewed', agent: 'outside', review: 'manual' });
  await simulation.untilState('queued', 'done');
  await simulation.untilState('reviewed', 'review');
  await decide(simulation, 'approve', 'reviewed', 'well done');
  await simulation.create({ id: 'bad', agent: 'inside', max_attempts: 1 });
  await simulation.untilState('bad', 'failed');
  await simulation.create({ id: 'cut', agent: 'inside' });
  await simulation.advance(500);
  simulation.crash();
  await simulation.restart();
  await simulation.untilState('cut', 'done');
  await redact(simulation, 'at-once', { output: 1 });
  await redact(simulation, 'queued', { description: true });
  return simulation;
}

export const SCENARIOS = {
  reviews,
  failures,
  waiting,
  agents,
  queues,
  crashes,
  proofs,
  questions,
  workspaces,
  limits,
  operator,
  together,
} as const;

/** Scenarios of what no released version could do: their histories are in `unreleased/`. */
export const UNRELEASED: ReadonlySet<string> = new Set([
  'questions',
  'workspaces',
  'limits',
  'operator',
  'together',
]);
