/** Agents that ask each other while they hold all slots: in simulated time, and two of them as real processes. */
import { describe, expect, it } from 'vitest';
import { openQuestions, type QuestionView } from '../../../projections/index.ts';
import { answerQuestion } from '../../../src/app/questions/questions.ts';
import { explainTask } from '../../../src/app/tasks/why.ts';
import { answerQuestionSchema, type QuestionJson } from '../../../src/contracts/api/questions.ts';
import { agent } from '../../support/simulation/agent.ts';
import type { SimulatedAgent } from '../../support/simulation/node.ts';
import { script } from '../../support/simulation/script.ts';
import { Simulation, type SimulationOptions } from '../../support/simulation/simulation.ts';
import { until } from '../../support/until.ts';
import {
  answer,
  CLI,
  create,
  eventsOf,
  givenSignalbox,
  agent as processAgent,
  questions,
  TASKS,
  whenDone,
} from './questions-lab.ts';

const NO_SLOT = 'so a person has to answer';
const ANSWERS = script({ outputs: ['{"option":"yes"}'] });

/** Asks after a second and goes on for ever, in its own tasks; answers in those of others. */
function asker(id: string, answeredBy: string, questionSettings: object = {}, slots = 1): SimulatedAgent {
  const asks = script({ runsMs: null, outputs: [], words: [{ atMs: 1_000, say: 'ask' }] });
  const settings = { questions: { answeredBy, ...questionSettings }, concurrency: slots, timeoutMs: 1e9 };
  return agent(id, ({ spec }) => (spec.answers ? ANSWERS : asks), settings);
}

const open = (simulation: Simulation): QuestionView[] =>
  openQuestions(simulation.app.state.projections.questions);
const answerTaskOf = (simulation: Simulation, { task, id }: QuestionView) =>
  simulation.task(`${task}-q-${id}`);

async function given(
  agents: readonly SimulatedAgent[],
  limits: SimulationOptions['limits'] = {},
): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents, limits });
  for (const { id } of agents) await simulation.create({ id: `of-${id}`, agent: id, max_attempts: 1 });
  return simulation;
}

function give(simulation: Simulation, { project, task, id }: QuestionView): Promise<unknown> {
  const request = answerQuestionSchema.parse({ option: 'yes' });
  const caller = { actor: 'user:ann', token: null };
  return simulation.answer(answerQuestion(simulation.app, { project, task, question: id }, request, caller));
}

describe('agents with one slot each that ask each other', () => {
  it.each([
    ['two', ['a', 'b']],
    ['three', ['a', 'b', 'c']],
  ])(
    '(%s of them) do not wait for each other: the last question goes to people, with the reason',
    async (_n, ids) => {
      const next = (index: number): string => ids[(index + 1) % ids.length] ?? '';
      const simulation = await given(ids.map((id, index) => asker(id, next(index))));
      await simulation.until(() => open(simulation).length === ids.length);
      await simulation.advance(5_000);
      const asked = open(simulation);
      const cancelled = asked.filter((each) => answerTaskOf(simulation, each).state === 'cancelled');
      expect(cancelled).toHaveLength(1);
      expect(asked).toHaveLength(ids.length);
      const [last] = cancelled;
      if (!last) throw new Error('no question goes to people');
      expect(last).toBe(asked.at(-1));
      const why = await explainTask(simulation.app, { project: 'demo', task: last.task });
      expect(why.waits_for[0]?.detail).toContain('gave no answer');
      expect(why.waits_for[0]?.detail).toContain(NO_SLOT);
      // One answer of a person, and one slot, let all others go on.
      await give(simulation, last);
      await simulation.decide('cancel', last.task);
      await simulation.until(() => open(simulation).length === ids.length - 2, 60_000);
    },
  );

  it('wait only if nothing frees a slot: not with a second slot, a parked process, or an agent that works', async () => {
    for (const agents of [
      [asker('a', 'b'), asker('b', 'a', {}, 2)],
      [asker('a', 'b'), asker('b', 'a', { parkAfterMs: 60_000 })],
      [asker('a', 'b'), agent('b', ({ spec }) => (spec.answers ? ANSWERS : script({ runsMs: 90_000 })))],
    ]) {
      const simulation = await given(agents);
      await simulation.until(() => simulation.typesOf('of-a').includes('attempt.question_answered'), 200_000);
      const cancelled = simulation.records.filter(
        ({ event }) => event.type === 'task.cancelled' && event.reason?.includes(NO_SLOT),
      );
      expect(cancelled).toEqual([]);
    }
  });

  it('also wait for each other if the shared limit leaves no slot', async () => {
    const simulation = await given([asker('a', 'b', {}, 5), agent('b', ANSWERS)], { concurrency: 1 });
    await simulation.until(() => open(simulation).length === 1);
    await simulation.advance(5_000);
    const [question] = open(simulation);
    if (!question) throw new Error('nothing is open');
    expect(answerTaskOf(simulation, question)).toMatchObject({ state: 'cancelled' });
    expect(answerTaskOf(simulation, question).reason).toContain(NO_SLOT);
  });

  it('find it so after a restart, too', async () => {
    const simulation = await given([asker('a', 'b'), asker('b', 'a')]);
    await simulation.until(() => open(simulation).length === 2);
    simulation.crash();
    await simulation.restart();
    await simulation.advance(5_000);
    const states = open(simulation).map((each) => answerTaskOf(simulation, each).state);
    expect(states.sort()).toEqual(['cancelled', 'pending']);
  });
});

describe('two real agents with one slot each that ask each other', () => {
  it('go on with one answer of a person', { timeout: 180_000 }, async () => {
    const command = `id=$(grep -o 'questions/[^/]*/answer' "$SIGNALBOX_PROMPT_FILE" | head -1 | cut -d/ -f2)
if [ -n "$id" ]; then echo '{"option":"yes"}'; else ${CLI} ask "Go on?" --option yes --option no; fi`;
    await using sandbox = await givenSignalbox({
      a: processAgent(command, { answered_by: 'b' }),
      b: processAgent(command, { answered_by: 'a' }),
    });
    const answering = async (): Promise<{ id: string; status: string; answers: { task: string } }[]> =>
      (
        await sandbox.get<{ tasks: { id: string; status: string; answers: { task: string } | null }[] }>(
          '/api/tasks?limit=100',
        )
      ).tasks.flatMap(({ answers, ...task }) => (answers ? [{ ...task, answers }] : []));
    await create(sandbox, 'of-a', 'a');
    await create(sandbox, 'of-b', 'b');
    await until(async () => (await questions(sandbox)).length === 2, 'both ask', 60_000);
    const cancelled = async () => (await answering()).find(({ status }) => status === 'cancelled');
    await until(async () => (await cancelled()) !== undefined, 'one question goes to people', 60_000);
    const stuck = (await cancelled())?.answers.task;
    const [question] = (await questions(sandbox)).filter(({ task }) => task === stuck);
    if (!question) throw new Error('it is answered already');
    await answer(sandbox, question, { option: 'no', by: 'ann' });
    for (const id of ['of-a', 'of-b']) await whenDone(sandbox, id);
    const by = async (id: string): Promise<string | undefined> => {
      const { questions: asked } = await sandbox.get<{ questions: QuestionJson[] }>(
        `${TASKS}/${id}/questions`,
      );
      return asked[0]?.answer?.by;
    };
    expect([await by('of-a'), await by('of-b')].sort()).toEqual(
      stuck === 'of-a' ? ['agent:a', 'ann'] : ['agent:b', 'ann'],
    );
    expect(await eventsOf(sandbox, 'of-a', 'attempt.question_answered')).toHaveLength(1);
  });
});
