/** Questions in simulated time: who waits, what moves, what is counted, and what survives. */
import { describe, expect, it } from 'vitest';
import { openQuestions, type QuestionView } from '../../../projections/index.ts';
import { answerQuestion } from '../../../src/app/questions/questions.ts';
import { answerQuestionSchema } from '../../../src/contracts/api/questions.ts';
import { unblockTask } from '../../support/decisions.ts';
import { agent } from '../../support/simulation/agent.ts';
import type { SimulatedAgent } from '../../support/simulation/node.ts';
import { type Script, script } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const asks = (expiresMs?: number): Script =>
  script({ runsMs: null, outputs: [], words: [{ atMs: 1_000, say: 'ask', expiresMs }] });

/** An agent that asks a second after its start, and goes on for ever. Its attempt may take 10 s. */
async function givenQuestion(
  run: Script | ((attempt: number) => Script),
  settings: Partial<SimulatedAgent> = {},
): Promise<Simulation> {
  const scriptOf = typeof run === 'function' ? run : () => run;
  const simulation = await Simulation.begin({
    agents: [
      {
        ...agent('a', script(), { timeoutMs: 10_000, ...settings }),
        scriptOf: ({ attempt }) => scriptOf(attempt),
      },
    ],
  });
  await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
  await simulation.until(() => openQuestions(simulation.app.state.projections.questions).length > 0);
  return simulation;
}

function onlyQuestion(simulation: Simulation): QuestionView {
  const [question] = simulation.app.state.projections.questions.byTask.get('demo/t') ?? [];
  if (!question) throw new Error('nothing was asked');
  return question;
}

function answer(simulation: Simulation, option = 'yes'): Promise<unknown> {
  const { project, task, id: question } = onlyQuestion(simulation);
  const request = answerQuestionSchema.parse({ option });
  const caller = { actor: 'user:ann', token: null };
  return simulation.answer(answerQuestion(simulation.app, { project, task, question }, request, caller));
}

function attempt(simulation: Simulation) {
  return simulation.app.state.host.get('attempt', 'demo/t/1');
}

describe('an attempt that waits for an answer', () => {
  it('is not stopped for its time or its silence; its deadline moves by the time that it has waited, and no more', async () => {
    const simulation = await givenQuestion(asks(), { silenceMs: 4_000 });
    const before = attempt(simulation)?.context.deadline ?? 0;
    const { askedAt } = onlyQuestion(simulation);
    await simulation.advance(60_000);
    expect(attempt(simulation)?.state).toBe('waiting');
    await answer(simulation);
    const waited = (onlyQuestion(simulation).answer?.time ?? 0) - askedAt;
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { deadline: before + waited } });
    await simulation.untilState('t', 'failed', 5_000);
    expect(simulation.task('t').reason).toContain('no sign of life');
  });

  it('waits again after a restart, is answered, and was started once', async () => {
    const simulation = await givenQuestion(asks());
    const deadline = attempt(simulation)?.context.deadline ?? 0;
    const { askedAt } = onlyQuestion(simulation);
    simulation.crash();
    await simulation.advance(30_000);
    await simulation.restart();
    expect(attempt(simulation)?.state).toBe('waiting');
    await answer(simulation);
    const waited = (onlyQuestion(simulation).answer?.time ?? 0) - askedAt;
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { deadline: deadline + waited } });
    expect(simulation.typesOf('t').filter((type) => type === 'attempt.started')).toHaveLength(1);
  });

  it('questions/answered-once: of 50 answers at the same moment one counts, and the others learn which', async () => {
    const simulation = await givenQuestion(asks());
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => answer(simulation, index % 2 === 0 ? 'yes' : 'no')),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'question_answered',
          details: { answer: { by: 'ann' } },
        });
    }
    expect(simulation.typesOf('t').filter((type) => type === 'attempt.question_answered')).toHaveLength(1);
  });

  it('answers its open question as cancelled when it is killed', async () => {
    const simulation = await givenQuestion(asks());
    await simulation.decide('cancel', 't');
    await simulation.until(() => attempt(simulation) === undefined);
    expect(onlyQuestion(simulation).answer).toMatchObject({ action: 'cancelled', by: 'supervisor' });
  });

  it('gets the default when the question expires, also if Signalbox was down then', async () => {
    const simulation = await givenQuestion(asks(20_000));
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.until(() => onlyQuestion(simulation).answer !== null, 1_000);
    expect(onlyQuestion(simulation).answer).toMatchObject({ action: 'expired', option: 'no' });
    expect(attempt(simulation)?.state).toBe('running');
  });
});

describe('a parked task', () => {
  const parks = {
    questions: { parkAfterMs: 3_000 },
    breaker: { failures: 1, cooldownMs: 60_000, maxCooldownMs: 60_000 },
  };
  const second = (number: number): Script => (number === 1 ? asks() : script());

  it('frees the slot; the answer puts it before all others; the attempt is not counted', async () => {
    const simulation = await givenQuestion(second, parks);
    await simulation.untilState('t', 'blocked', 5_000);
    const other = await simulation.create({ agent: 'a', priority: 10 });
    await simulation.untilState(other.id, 'working', 1_000);
    const next = await simulation.create({ agent: 'a', priority: 10 });
    await answer(simulation);
    expect(simulation.task('t')).toMatchObject({ state: 'pending', goesFirst: true });
    await simulation.untilState('t', 'done');
    expect(simulation.task(next.id).state).not.toBe('done');
    expect(simulation.task('t')).toMatchObject({ attempts: 2, attemptsUsed: 1 });
    expect(simulation.app.state.host.get('agent', 'a')?.context).toMatchObject({ failures: 0, parkings: 0 });
  });

  it('goes on when its question expires while Signalbox is down', async () => {
    const simulation = await givenQuestion((number) => (number === 1 ? asks(20_000) : script()), parks);
    await simulation.untilState('t', 'blocked', 5_000);
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.untilState('t', 'done');
    expect(onlyQuestion(simulation).answer).toMatchObject({ action: 'expired', option: 'no' });
  });

  it('leaves no open question when it is cancelled, and cannot be unblocked any more', async () => {
    const simulation = await givenQuestion(second, parks);
    await simulation.untilState('t', 'blocked', 5_000);
    await simulation.decide('cancel', 't');
    await simulation.until(() => onlyQuestion(simulation).answer !== null, 1_000);
    expect(onlyQuestion(simulation).answer?.action).toBe('cancelled');
    const late = simulation.decide('unblock', 't');
    await expect(late).rejects.toMatchObject({ code: 'illegal_transition' });
  });
});

describe('a task that its agent blocked', () => {
  it('has its attempt left when it is unblocked', async () => {
    const simulation = await Simulation.begin({
      agents: [
        {
          ...agent('a', script()),
          scriptOf: ({ attempt: number }) =>
            number === 1 ? script({ outputs: [], words: [{ atMs: 500, say: 'blocked' }] }) : script(),
        },
      ],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.untilState('t', 'blocked');
    await simulation.answer(
      unblockTask(simulation.app, { project: 'demo', task: 't' }, { comment: 'here it is' }, 'user:ann'),
    );
    await simulation.untilState('t', 'done');
    expect(simulation.task('t')).toMatchObject({ attempts: 2, attemptsUsed: 1 });
  });
});

describe('an agent that reports a failure while it waits', () => {
  it('is stopped after its grace, also if Signalbox crashed before its question was cancelled', async () => {
    const words = [
      { atMs: 500, say: 'ask' },
      { atMs: 800, say: 'failed' },
    ] as const;
    const simulation = await Simulation.begin({
      agents: [agent('a', script({ runsMs: null, outputs: [], words }))],
    });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    simulation.log.traps.set('failure_reported', 'unanswered');
    await simulation.until(() => simulation.node === null);
    await simulation.restart();
    await simulation.until(() => simulation.find('t', 'attempt.ended') !== undefined, 10_000);
    expect(onlyQuestion(simulation).answer?.action).toBe('cancelled');
  });
});
