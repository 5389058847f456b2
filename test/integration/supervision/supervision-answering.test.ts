/** Agents that answer the questions of other agents, in simulated time; and who goes on with a task that was parked. */
import { describe, expect, it } from 'vitest';
import { openQuestions, type QuestionView } from '../../../projections/index.ts';
import { answerQuestion } from '../../../src/app/questions/questions.ts';
import { createTask } from '../../../src/app/tasks/create-task.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import { sha256 } from '../../../src/base/hash.ts';
import { answerQuestionSchema } from '../../../src/contracts/api/questions.ts';
import { createTaskSchema } from '../../../src/contracts/api/requests.ts';
import type { RunRequest } from '../../../src/drivers/driver.ts';
import { answerTaskIds, keyedTaskId, reviewTaskIds } from '../../../src/engine/runtime/task-ids.ts';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import type { SimulatedAgent } from '../../support/simulation/node.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const asks = script({ runsMs: null, outputs: [], words: [{ atMs: 1_000, say: 'ask' }] });
const prints = (text: string): Script => script({ outputs: [text] });

/** An agent whose questions `answeredBy` answers. It asks in its tasks, and does `inAnswer` in tasks that answer. */
function asker(id: string, answeredBy: string, inAnswer: Script = asks): SimulatedAgent {
  return agent(id, ({ spec }) => (spec.answers ? inAnswer : asks), { questions: { answeredBy } });
}

function questionsIn(simulation: Simulation): QuestionView[] {
  return [...simulation.app.state.projections.questions.byTask.values()].flat();
}

function onlyQuestion(simulation: Simulation): QuestionView {
  const [question] = questionsIn(simulation);
  if (!question) throw new Error('nothing was asked');
  return question;
}

function answerTo(simulation: Simulation, { project, task, id }: QuestionView, token: string | null = null) {
  const request = answerQuestionSchema.parse({ option: 'yes' });
  const caller = { actor: token === null ? 'user:ann' : 'agent:b', token };
  return simulation.answer(answerQuestion(simulation.app, { project, task, question: id }, request, caller));
}

/** A task that the attempt of `t` creates. */
function createAsAgent(simulation: Simulation, task: { readonly id: string; readonly agent: string }) {
  const request = createTaskSchema.parse({ title: 'a child', ...task });
  const creator = { actor: 'agent:a', attempt: { project: 'demo', task: 't', attempt: 1 } };
  return simulation.answer(createTask(simulation.app, 'demo', request, creator));
}

const answerTask = (simulation: Simulation): string => `t-q-${onlyQuestion(simulation).id}`;

async function givenAsked(agents: readonly SimulatedAgent[]): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents });
  await simulation.create({ id: 't', agent: 'a', max_attempts: 1 });
  await simulation.until(() => openQuestions(simulation.app.state.projections.questions).length > 0);
  return simulation;
}

describe('an agent that answers for another one', () => {
  it('gets a task with the question, and what it prints counts as the answer', async () => {
    let prompt = '';
    const b = agent('b', (order: RunRequest) => {
      prompt = order.prompt();
      return prints('I have looked.\n{"option":"yes","comment":"the old ones are copied"}');
    });
    const simulation = await givenAsked([asker('a', 'b'), b]);
    await simulation.until(() => onlyQuestion(simulation).answer !== null);
    const { id, spec, answer } = onlyQuestion(simulation);
    expect(answer).toMatchObject({ action: 'accepted', option: 'yes', by: 'agent:b', rule: null });
    expect(prompt).toContain(spec.message);
    expect(prompt).toContain(`/tasks/t/questions/${id}/answer`);
    await simulation.untilState(`t-q-${id}`, 'done');
    expect(simulation.task(`t-q-${id}`).spec).toMatchObject({
      agent: 'b',
      parent: 't',
      answers: { task: 't', question: id },
    });
    expect(simulation.app.state.host.get('attempt', 'demo/t/1')?.state).toBe('running');
  });

  it('answers with the token of its attempt, and ends by itself', async () => {
    const simulation = await givenAsked([asker('a', 'b'), agent('b', scripts.succeeds(5_000))]);
    await simulation.untilState(answerTask(simulation), 'working');
    const { tokens } = simulation.app.supervision;
    const own = tokens.tokenOf({ project: 'demo', task: 't', attempt: 1 });
    await expect(answerTo(simulation, onlyQuestion(simulation), own)).rejects.toMatchObject({
      code: 'own_question',
    });
    const token = tokens.tokenOf({ project: 'demo', task: answerTask(simulation), attempt: 1 });
    await answerTo(simulation, onlyQuestion(simulation), token);
    expect(onlyQuestion(simulation).answer).toMatchObject({ option: 'yes', by: 'agent:b' });
    await simulation.untilState(answerTask(simulation), 'done');
    expect(simulation.task(answerTask(simulation)).attempts).toBe(1);
  });

  it('answers in the task of the question only, not in one that the asking agent gave it', async () => {
    const simulation = await givenAsked([asker('a', 'b'), agent('b', scripts.hangs(), { concurrency: 3 })]);
    await createAsAgent(simulation, { id: 'child', agent: 'b' });
    await simulation.untilState('child', 'working');
    await simulation.untilState(answerTask(simulation), 'working');
    const tokenIn = (task: string) =>
      simulation.app.supervision.tokens.tokenOf({ project: 'demo', task, attempt: 1 });
    const question = onlyQuestion(simulation);
    await expect(answerTo(simulation, question, tokenIn('child'))).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('in the task that Signalbox created'),
    });
    expect(onlyQuestion(simulation).answer).toBeNull();
    await answerTo(simulation, question, tokenIn(answerTask(simulation)));
    expect(onlyQuestion(simulation).answer?.by).toBe('agent:b');
  });

  it('cannot be kept away by a task with the id of its own: no agent may take one', async () => {
    const hash = sha256('any');
    const long = 'x'.repeat(64);
    const ids = [
      ...answerTaskIds('t', 'q', hash),
      ...answerTaskIds(long, 'q', hash),
      ...reviewTaskIds('t', 3, hash),
      ...reviewTaskIds(long, 3, hash),
      keyedTaskId('demo', 'key'),
    ];
    expect(ids).toHaveLength(7);
    const simulation = await givenAsked([asker('a', 'b'), agent('b', scripts.hangs())]);
    for (const id of ids)
      await expect(createAsAgent(simulation, { id, agent: 'b' })).rejects.toThrow(
        `the id ${id} is reserved for Signalbox`,
      );
    for (const id of ['t-q', 'report-release', 'draft-rev2', 'faq'])
      expect((await createAsAgent(simulation, { id, agent: 'b' })).created).toBe(true);
  });

  it('fails without an answer that fits, and a person answers; its task then leaves nothing behind', async () => {
    const simulation = await givenAsked([asker('a', 'b'), agent('b', prints('{"option":"perhaps"}'))]);
    const why = () => explainTask(simulation.app, { project: 'demo', task: 't' });
    await simulation.untilState(answerTask(simulation), 'failed');
    expect(onlyQuestion(simulation).answer).toBeNull();
    const { waits_for, next } = await why();
    expect(waits_for[0]?.detail).toContain(
      `agent b gave no answer: its task ${answerTask(simulation)} is failed`,
    );
    expect(next).toContain(
      `"signalbox question answer ${onlyQuestion(simulation).id} --task t --project demo --option OPTION" (yes or no)`,
    );
    await answerTo(simulation, onlyQuestion(simulation));
    expect(onlyQuestion(simulation).answer?.by).toBe('ann');
  });

  it('is stopped if a person answers first', async () => {
    const simulation = await givenAsked([asker('a', 'b'), agent('b', scripts.hangs())]);
    await simulation.untilState(answerTask(simulation), 'working');
    await answerTo(simulation, onlyQuestion(simulation));
    await simulation.untilState(answerTask(simulation), 'cancelled');
    await simulation.until(() => simulation.processes.alive().length === 1);
  });

  it('gets one task also if Signalbox is killed before it was created, and while it works', async () => {
    const b = agent('b', inTurn(scripts.hangs()));
    const simulation = await givenAsked([asker('a', 'b'), b]);
    simulation.crash();
    await simulation.restart();
    await simulation.untilState(answerTask(simulation), 'working');
    simulation.crash();
    await simulation.restart();
    await simulation.advance(60_000);
    const created = simulation.records.filter(({ event }) => event.type === 'task.created');
    expect(created).toHaveLength(2);
    expect(
      simulation.typesOf(answerTask(simulation)).filter((type) => type === 'attempt.started'),
    ).toHaveLength(1);
  });

  it('asks back at most once around: agents that ask each other end with a person', async () => {
    const simulation = await givenAsked([asker('a', 'b'), asker('b', 'a')]);
    await simulation.advance(3_600_000);
    // The task of a asks b, whose answer asks; a waits for it, so that only a person can answer.
    expect(questionsIn(simulation).map(({ agent: who }) => who)).toEqual(['a', 'b']);
    for (const question of openQuestions(simulation.app.state.projections.questions))
      await answerTo(simulation, question);
    await simulation.until(() => openQuestions(simulation.app.state.projections.questions).length === 0);
  });
});

describe('an agent that no longer waits', () => {
  it('withdraws its question, and goes on; one that is answered stays as it is', async () => {
    const simulation = await givenAsked([agent('a', asks), agent('b', scripts.succeeds())]);
    const { id } = onlyQuestion(simulation);
    const attempt = { project: 'demo', task: 't', attempt: 1 };
    simulation.app.supervision.supervisor.questions.withdraw(attempt, id);
    await simulation.until(() => onlyQuestion(simulation).answer !== null, 1_000);
    expect(onlyQuestion(simulation).answer).toMatchObject({ action: 'cancelled', by: 'supervisor' });
    expect(simulation.app.state.host.get('attempt', 'demo/t/1')?.state).toBe('running');
    simulation.app.supervision.supervisor.questions.withdraw(attempt, id);
    await simulation.advance(1_000);
    expect(simulation.typesOf('t').filter((type) => type === 'attempt.question_answered')).toHaveLength(1);
  });
});

describe('a rule that holds for one task', () => {
  it('is gone when the task is done, also after a restart; one for the agent stays', async () => {
    const asksForTool = agent('a', inTurn(scripts.hangs()));
    const simulation = await Simulation.begin({ agents: [asksForTool] });
    await simulation.create({ id: 't', agent: 'a' });
    await simulation.untilState('t', 'working');
    const ask = (id: string, input: string) =>
      simulation.answer(
        simulation.app.supervision.supervisor.questions.ask({ project: 'demo', task: 't', attempt: 1 }, id, {
          kind: 'permission',
          message: 'May I?',
          about: { tool: 'Bash', input },
        }),
      );
    for (const [id, scope] of [
      ['q1', 'task'],
      ['q2', 'agent'],
    ]) {
      await ask(id ?? '', `run ${id}`);
      const request = answerQuestionSchema.parse({ option: 'allow_always', remember: { scope } });
      const ref = { project: 'demo', task: 't', question: id ?? '' };
      await simulation.answer(
        answerQuestion(simulation.app, ref, request, { actor: 'user:ann', token: null }),
      );
    }
    const scopes = () =>
      [...simulation.app.state.projections.questions.rules.values()].map(({ scope }) => scope);
    expect(scopes()).toEqual(['task', 'agent']);
    await simulation.decide('cancel', 't');
    await simulation.untilState('t', 'cancelled');
    expect(scopes()).toEqual(['agent']);
    simulation.crash();
    await simulation.restart();
    expect(scopes()).toEqual(['agent']);
  });
});

describe('a parked task of a type', () => {
  const parks = { capabilities: ['x'], questions: { parkAfterMs: 0 } };
  const run = inTurn(asks, scripts.succeeds());
  const other = agent('b', run, parks);

  async function givenParked(agents: readonly SimulatedAgent[]): Promise<Simulation> {
    const simulation = await Simulation.begin({ agents });
    await simulation.create({ id: 't', type: 'x', max_attempts: 1 });
    await simulation.untilState('t', 'blocked');
    return simulation;
  }

  it('goes on with the agent that has its session, first of all, although another one is free', async () => {
    const simulation = await givenParked([agent('a', run, { ...parks, concurrency: 1 }), other]);
    const holder = simulation.task('t').agent ?? '';
    const busy = await simulation.create({ agent: holder, priority: 10 });
    await simulation.untilState(busy.id, 'working');
    const next = await simulation.create({ agent: holder, priority: 10 });
    await answerTo(simulation, onlyQuestion(simulation));
    const why = await explainTask(simulation.app, { project: 'demo', task: 't' });
    expect(why.waits_for[0]?.detail).toContain(`agent ${holder}, which has its session, is busy`);
    await simulation.decide('cancel', busy.id);
    await simulation.untilState('t', 'done');
    expect(simulation.task('t').agent).toBe(holder);
    expect(simulation.task(next.id).state).not.toBe('done');
  });

  it('keeps to a paused queue', async () => {
    const simulation = await givenParked([agent('a', run, parks)]);
    const pause = { type: 'queue.paused', queue: 'type:x' } as const;
    await simulation.answer(simulation.app.log.commit(pause, { actor: 'user:ann' }));
    await answerTo(simulation, onlyQuestion(simulation));
    await simulation.advance(60_000);
    expect(simulation.task('t').state).toBe('pending');
    const resume = { type: 'queue.resumed', queue: 'type:x' } as const;
    await simulation.answer(simulation.app.log.commit(resume, { actor: 'user:ann' }));
    await simulation.untilState('t', 'done');
  });

  it('gives its session up if its agent is gone, and the log says so', async () => {
    const simulation = await givenParked([agent('a', run, parks)]);
    await simulation.restart([other]);
    await answerTo(simulation, onlyQuestion(simulation));
    await simulation.untilState('t', 'done');
    const claims = simulation
      .eventsOf('t')
      .map(({ event }) => event)
      .filter(({ type }) => type === 'task.claimed');
    expect(claims[1]).toMatchObject({
      agent: 'b',
      session_given_up: 'agent a, which has it, is not in the configuration any more',
    });
  });
});
