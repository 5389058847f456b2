/**
 * A task that an agent sends back once and then approves, with a crash at each append: it always comes to the same end,
 * and nothing is reviewed or decided twice.
 */
import { describe, expect, it } from 'vitest';
import { agent, inTurn } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const STEPS_MAX = 5_000;
const verdict = (verdict: 'approve' | 'reject', comment: string) =>
  script({ outputs: [`I have looked at it.\n${JSON.stringify({ verdict, comment })}`] });

const AGENTS = [
  agent('worker', scripts.succeeds()),
  agent('judge', (order) => {
    const rejects = inTurn(scripts.fails(), verdict('reject', 'line 3 is wrong'));
    return order.spec.reviews?.attempt === 1 ? rejects(order) : verdict('approve', 'good');
  }),
];

async function comeToRest(simulation: Simulation): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    if (!simulation.node) await simulation.open();
    if (!(await simulation.step()) && simulation.node) return;
  }
  throw new Error(`it does not come to rest within ${STEPS_MAX} steps`);
}

/** The decisions about the task, in their order, and the end of every task. */
function endOf(simulation: Simulation) {
  const ends = Object.fromEntries([...simulation.model.tasks.values()].map(({ id, state }) => [id, state]));
  const { attempts, comments, outputs } = simulation.task('t');
  return {
    ends,
    attempts,
    outputs: outputs.length,
    comments: comments.map(({ author, body }) => `${author}: ${body}`),
  };
}

const END = {
  ends: { t: 'done', 't-r1': 'done', 't-r2': 'done' },
  attempts: 2,
  outputs: 2,
  comments: ['agent:judge: line 3 is wrong', 'agent:judge: good'],
};

async function given(): Promise<Simulation> {
  const simulation = await Simulation.begin({ agents: AGENTS });
  await simulation.create({ id: 't', agent: 'worker', review: 'judge' });
  return simulation;
}

describe('a review by an agent', () => {
  it('finishes without a crash', async () => {
    const simulation = await given();
    await comeToRest(simulation);
    expect(endOf(simulation)).toEqual(END);
    expect(simulation.task('t-r1')).toMatchObject({
      attempts: 2,
      spec: { parent: 't', reviews: { task: 't', attempt: 1 } },
    });
  });

  it.each(['lost', 'unanswered'] as const)('has the same result when any append is %s', async (fault) => {
    let last = Number.POSITIVE_INFINITY;
    let begin = 0;
    for (let after = 1; begin + after <= last; after++) {
      const simulation = await given();
      begin = simulation.log.appends;
      simulation.log.faults.set(begin + after, fault);
      await comeToRest(simulation);
      expect(endOf(simulation), `crash at append ${begin + after}`).toEqual(END);
      last = Math.min(last, simulation.log.appends);
    }
    expect(last).toBeGreaterThan(20);
  });
});
