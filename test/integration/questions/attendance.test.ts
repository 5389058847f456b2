/** Questions for whose answers nothing asks any more, in simulated time: their attempts' time counts again. */
import { describe, expect, it } from 'vitest';
import { type QuestionView, questionsOf } from '../../../projections/index.ts';
import { answerQuestion, withdrawQuestion } from '../../../src/app/questions/questions.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import { answerQuestionSchema } from '../../../src/contracts/api/questions.ts';
import type { QuestionSpec } from '../../../src/contracts/questions.ts';
import { agent } from '../../support/simulation/agent.ts';
import { asksAndPolls, type Script, script, type Word } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const KEEPALIVE_MS = 5_000;
const TIMEOUT_MS = 10_000;
const TASK = { project: 'demo', task: 't' } as const;
const ATTEMPT = { ...TASK, attempt: 1 } as const;

const says = (...words: readonly Word[]): Script => script({ runsMs: null, outputs: [], words });

/** An attempt that has asked the question `q`. It may take 10 s, and waits for 5 s although nothing asks. */
async function givenAsked(run: Script, questions: object = {}): Promise<Simulation> {
  const settings = { timeoutMs: TIMEOUT_MS, questions: { keepaliveMs: KEEPALIVE_MS, ...questions } };
  const simulation = await Simulation.begin({ agents: [agent('a', run, settings)] });
  await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
  await simulation.until(() => questionsOf(simulation.app.state.projections.questions, TASK).length > 0);
  return simulation;
}

function question(simulation: Simulation): QuestionView {
  const [asked] = questionsOf(simulation.app.state.projections.questions, TASK);
  if (!asked) throw new Error('nothing was asked');
  return asked;
}

const attempt = (simulation: Simulation) => simulation.app.state.host.get('attempt', 'demo/t/1');
const count = (simulation: Simulation, type: string): number =>
  simulation.typesOf('t').filter((each) => each === type).length;
/** Epoch milliseconds at which an event was stored. */
const timeOf = (simulation: Simulation, type: string): number =>
  simulation.eventsOf('t').find(({ event }) => event.type === type)?.time ?? Number.NaN;

function answer(simulation: Simulation): Promise<unknown> {
  const request = answerQuestionSchema.parse({ option: 'yes' });
  const caller = { actor: 'user:ann', token: null };
  return simulation.answer(answerQuestion(simulation.app, { ...TASK, question: 'q' }, request, caller));
}

const NEVER = 1_000_000;

describe('an attempt that asks for its answer again and again', () => {
  it('waits, however long that takes, and over a restart that takes longer than it may be silent', async () => {
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, NEVER)));
    await simulation.advance(600_000);
    expect(attempt(simulation)?.state).toBe('waiting');
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    await simulation.advance(60_000);
    expect(attempt(simulation)?.state).toBe('waiting');
    expect(count(simulation, 'attempt.wait_ended')).toBe(0);
  });
});

describe('an attempt for whose answer nothing asks any more', () => {
  it('is stopped at its deadline, which is later by the time that it waited; until then the question can be answered', async () => {
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 21_000)));
    const before = attempt(simulation)?.context.deadline ?? 0;
    const { askedAt } = question(simulation);
    await simulation.until(() => count(simulation, 'attempt.wait_ended') > 0);
    const endedAt = timeOf(simulation, 'attempt.wait_ended');
    expect(endedAt - askedAt - 20_000 - KEEPALIVE_MS).toBeLessThan(100);
    const deadline = before + endedAt - askedAt;
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { deadline, questions: ['q'] } });
    expect(question(simulation).answer).toBeNull();
    await simulation.untilState('t', 'failed', TIMEOUT_MS + 2_000);
    expect(timeOf(simulation, 'attempt.stop_requested') - deadline).toBeLessThan(100);
    expect(question(simulation).answer).toMatchObject({ action: 'cancelled' });
  });

  it('is explained: the time limit counts', async () => {
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 1_000)));
    const why = () => explainTask(simulation.app, TASK);
    expect((await why()).summary).not.toContain('counts again');
    await simulation.until(() => count(simulation, 'attempt.wait_ended') > 0);
    const { waits_for, next } = await why();
    expect(waits_for.map(({ kind }) => kind)).toEqual(['answer', 'running']);
    const until = new Date(attempt(simulation)?.context.deadline ?? 0).toISOString();
    expect(waits_for[1]).toMatchObject({ detail: expect.stringContaining('counts again'), until });
    expect(next).toContain(`it is stopped at ${until}, unless the agent asks for the answer again`);
  });

  it('goes on with an answer that comes then: its deadline stays', async () => {
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 1_000)));
    await simulation.until(() => attempt(simulation)?.state === 'running');
    const { deadline } = attempt(simulation)?.context ?? {};
    await answer(simulation);
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { deadline, questions: [] } });
    expect(question(simulation).answer).toMatchObject({ option: 'yes', by: 'ann' });
  });

  it('waits again as soon as it asks for the answer: its deadline moves by both waits', async () => {
    const words = [...asksAndPolls('q', 1_000, 2_000, 5_000)];
    const later: Word[] = [12_000, 14_000, 16_000].map((atMs) => ({ atMs, say: 'poll', question: 'q' }));
    const simulation = await givenAsked(says(...words, ...later));
    const before = attempt(simulation)?.context.deadline ?? 0;
    const { askedAt } = question(simulation);
    await simulation.until(() => count(simulation, 'attempt.wait_resumed') > 0);
    expect(attempt(simulation)?.state).toBe('waiting');
    const first = timeOf(simulation, 'attempt.wait_ended') - askedAt;
    await simulation.advance(3_000);
    await answer(simulation);
    const second = (question(simulation).answer?.time ?? 0) - timeOf(simulation, 'attempt.wait_resumed');
    expect(attempt(simulation)).toMatchObject({
      state: 'running',
      context: { deadline: before + first + second },
    });
  });

  it('waits for another question that it asks, and no longer than something asks for one of them', async () => {
    const second = asksAndPolls('r', 9_000, 2_000, 19_000);
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 1_000), ...second));
    await simulation.until(() => attempt(simulation)?.context.questions.length === 2);
    expect(attempt(simulation)?.state).toBe('waiting');
    await simulation.until(() => count(simulation, 'attempt.wait_ended') === 2);
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { questions: ['q', 'r'] } });
  });

  it('is given some time after a restart, since it may just have asked', async () => {
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 1_000)));
    simulation.crash();
    await simulation.advance(60_000);
    await simulation.restart();
    const started = simulation.clock.now();
    expect(attempt(simulation)?.state).toBe('waiting');
    await simulation.until(() => count(simulation, 'attempt.wait_ended') > 0);
    expect(timeOf(simulation, 'attempt.wait_ended') - started).toBeGreaterThan(KEEPALIVE_MS - 500);
    const { deadline } = attempt(simulation)?.context ?? {};
    // What is known of it outlives the next restart.
    simulation.crash();
    await simulation.restart();
    expect(attempt(simulation)).toMatchObject({ state: 'running', context: { deadline } });
    await simulation.untilState('t', 'failed', TIMEOUT_MS + 2_000);
  });

  it('is not parked: it does not wait', async () => {
    const parks = { parkAfterMs: 2 * KEEPALIVE_MS };
    const simulation = await givenAsked(says(...asksAndPolls('q', 1_000, 2_000, 1_000)), parks);
    await simulation.untilState('t', 'failed');
    expect(count(simulation, 'attempt.wait_ended')).toBe(1);
    expect(simulation.find('t', 'attempt.ended')?.outcome).toBe('timed_out');
  });
});

describe('a question that a driver passes on', () => {
  const asks = (simulation: Simulation): Promise<void> => {
    const spec: QuestionSpec = {
      kind: 'choice',
      message: 'Go on?',
      options: [{ id: 'yes', label: 'yes' }],
    };
    return simulation.answer(simulation.app.supervision.supervisor.questions.askFor(ATTEMPT, 'own', spec));
  };

  async function givenProgram(): Promise<Simulation> {
    const settings = { timeoutMs: TIMEOUT_MS, questions: { keepaliveMs: KEEPALIVE_MS } };
    const simulation = await Simulation.begin({ agents: [agent('a', says(), settings)] });
    await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
    await simulation.until(() => attempt(simulation)?.state === 'running');
    await asks(simulation);
    return simulation;
  }

  it('is waited for by the program itself, also after a restart, when its driver finds it again', async () => {
    const simulation = await givenProgram();
    await simulation.advance(3_600_000);
    expect(attempt(simulation)?.state).toBe('waiting');
    simulation.crash();
    await simulation.restart();
    await simulation.advance(1_000);
    await asks(simulation);
    await simulation.advance(3_600_000);
    expect(attempt(simulation)?.state).toBe('waiting');
    expect(count(simulation, 'attempt.wait_ended')).toBe(0);
    expect(count(simulation, 'attempt.question_asked')).toBe(1);
  });
});

describe('a question that is withdrawn', () => {
  const withdraw = (simulation: Simulation, token: string | null, comment?: string) =>
    simulation.answer(
      withdrawQuestion(
        simulation.app,
        { ...TASK, question: 'q' },
        { comment },
        { actor: token === null ? 'user:ann' : 'agent:a', token },
      ),
    );
  const tokenOf = (simulation: Simulation, task: string): string =>
    simulation.app.supervision.tokens.tokenOf({ project: 'demo', task, attempt: 1 });
  const polls = says(...asksAndPolls('q', 1_000, 2_000, NEVER));

  it('by its attempt is answered as cancelled, and the attempt goes on', async () => {
    const simulation = await givenAsked(polls);
    const before = attempt(simulation)?.context.deadline ?? 0;
    await simulation.advance(30_000);
    await withdraw(simulation, tokenOf(simulation, 't'));
    const { answer: given, askedAt } = question(simulation);
    expect(given).toMatchObject({
      action: 'cancelled',
      by: 'agent:a',
      comment: 'the agent no longer waits for an answer',
    });
    expect(attempt(simulation)).toMatchObject({
      state: 'running',
      context: { deadline: before + (given?.time ?? 0) - askedAt },
    });
    await expect(withdraw(simulation, tokenOf(simulation, 't'))).rejects.toMatchObject({
      code: 'question_answered',
      details: { answer: { action: 'cancelled' } },
    });
    expect(count(simulation, 'attempt.question_answered')).toBe(1);
  });

  it('by a person says so, and an agent withdraws those of its own attempt only', async () => {
    const settings = { concurrency: 2, questions: { keepaliveMs: KEEPALIVE_MS } };
    const simulation = await Simulation.begin({
      agents: [agent('a', ({ task }) => (task === 't' ? polls : says()), settings)],
    });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.create({ id: 'other', agent: 'a' });
    await simulation.untilState('other', 'working');
    await simulation.until(() => count(simulation, 'attempt.question_asked') > 0);
    await expect(withdraw(simulation, tokenOf(simulation, 'other'))).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(question(simulation).answer).toBeNull();
    await withdraw(simulation, null, 'called off');
    expect(question(simulation).answer).toMatchObject({
      action: 'cancelled',
      by: 'ann',
      comment: 'called off',
    });
  });

  it('is none while its attempt is being parked: the signal that ends its process is no decision of the agent', async () => {
    const run = script({ ...polls, stopMs: 1_000 });
    const simulation = await givenAsked(run, { parkAfterMs: 3_000 });
    await simulation.until(() => attempt(simulation)?.state === 'stopping');
    const token = tokenOf(simulation, 't');
    await expect(withdraw(simulation, token)).rejects.toMatchObject({ code: 'stale_attempt' });
    await simulation.untilState('t', 'blocked');
    await expect(withdraw(simulation, token)).rejects.toMatchObject({ code: 'stale_attempt' });
    expect(question(simulation).answer).toBeNull();
    await withdraw(simulation, null);
    await simulation.untilState('t', 'working');
  });
});
