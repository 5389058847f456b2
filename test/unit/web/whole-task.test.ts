import { describe, expect, it } from 'vitest';
import { newProjections } from '../../../projections/index.ts';
import { attemptJson, eventJson, taskJson } from '../../../src/app/tasks/task-json.ts';
import { attemptsOf, taskOf } from '../../../src/engine/runtime/views.ts';
import { boardOf } from '../../../web/state/cards.ts';
import { asItWas } from '../../../web/state/whole-task.ts';
import { agent } from '../../support/simulation/agent.ts';
import { script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';

const failing = (usage?: object) => script({ usage, result: { kind: 'exited', code: 1 } });
const AGENTS = [
  agent('paid', failing({ model: 'm', input_tokens: 50, output_tokens: 10, cost_usd: 0.25 })),
  agent('free', failing({ input_tokens: 50, output_tokens: 10, cache_read_tokens: 5 })),
  agent('silent', scripts.fails()),
  agent('stillborn', scripts.throwsAtStart()),
];

describe('a task on the page of a past moment', () => {
  it.each(AGENTS.map(({ id }) => id))('has used what it had used then: %s', async (id) => {
    const simulation = await Simulation.begin({ agents: AGENTS });
    const ref = { project: 'demo', task: 't' };
    await simulation.create({ id: 't', agent: id, max_attempts: 3 });
    await simulation.untilState('t', 'failed');
    const { projections } = simulation.app.state;
    const task = taskOf(projections, ref);
    if (!task) throw new Error('the task is gone');
    const events = simulation.records
      .filter(({ event }) => 'task' in event)
      .map((record) => ({ ...eventJson(record), event: record.event }));
    const attempts = attemptsOf(projections, ref).map(attemptJson);
    const whole = { ...taskJson(task), attempts, events };
    const past = newProjections();
    const seen = new Set<number>();
    for (const record of simulation.records) {
      past.evolve(record);
      const then = taskOf(past, ref);
      if (!then) continue;
      const { sequence } = record;
      const board = boardOf({
        sequence,
        time: null,
        counts: past.blackboard.counts,
        cards: [],
        agents: [],
        budgets: [],
      });
      const { usage } = asItWas(whole, board);
      expect(usage).toEqual(taskJson(then).usage);
      seen.add(usage?.attempts ?? 0);
    }
    expect([...seen]).toEqual(id === 'stillborn' ? [0] : [0, 1, 2, 3]);
  });
});
