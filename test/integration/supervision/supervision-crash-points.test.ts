/**
 * A scenario in which everything happens once, repeated with a crash at each of its appends: before the
 * message is stored, and after it is stored and before Signalbox knows it. It always comes to the same end.
 */
import { describe, expect, it } from 'vitest';
import { agent } from '../../support/simulation/agent.ts';
import { type Script, script, scripts } from '../../support/simulation/script.ts';
import { Simulation } from '../../support/simulation/simulation.ts';
import { decideTask, type TaskDecision } from '../../support/simulation/use-cases.ts';

const STEPS_MAX = 5_000;

function run({ task, attempt }: { task: string; attempt: number }): Script {
  switch (task) {
    case 'retried':
      return attempt === 1 ? scripts.fails() : scripts.succeeds();
    case 'stays':
      return scripts.lingers();
    case 'hangs':
    case 'cancelled':
    case 'held':
      return scripts.hangs();
    case 'speaks':
      return script({
        runsMs: 2_000,
        outputs: [],
        words: [
          { atMs: 200, say: 'working' },
          { atMs: 600, say: 'output' },
          { atMs: 900, say: 'review' },
        ],
      });
    default:
      return scripts.succeeds();
  }
}

const AGENTS = [
  agent('a', run, { concurrency: 2, timeoutMs: 8_000, silenceMs: 6_000 }),
  agent('b', run, { concurrency: 2, timeoutMs: 60_000 }),
  agent('breaks', scripts.fails(300), {
    breaker: { failures: 2, cooldownMs: 10_000, maxCooldownMs: 20_000 },
  }),
];

async function play(simulation: Simulation): Promise<void> {
  const follow_up = { title: 'after', description: '{{outputs}}', agent: 'a', outputs: 'required' } as const;
  await simulation.create({ id: 'parent', agent: 'a', join: true, budget: { attempts: 20 } });
  await simulation.create({ id: 'retried', agent: 'a', parent: 'parent', follow_ups: [follow_up] });
  await simulation.create({ id: 'stays', agent: 'a', priority: 9 });
  await simulation.create({ id: 'speaks', agent: 'a', depends_on: ['stays'] });
  await simulation.create({ id: 'hangs', agent: 'a', max_attempts: 1 });
  await simulation.create({ id: 'never', agent: 'a', depends_on: ['hangs'] });
  await simulation.create({ id: 'broken', agent: 'breaks', max_attempts: 3 });
  await simulation.create({ id: 'cancelled', agent: 'b' });
  await simulation.create({ id: 'held', agent: 'b' });
  decideLater(simulation, 'cancel', 'cancelled');
  decideLater(simulation, 'block', 'held');
}

/** A user who retries while Signalbox is down. */
function decideLater({ clock, callers }: Simulation, decision: TaskDecision, id: string): void {
  const mark = callers.newMark();
  const decide = (): void =>
    callers.command(mark, (app) => decideTask(app, decision, { project: 'demo', id }, mark));
  clock.schedule(1_500, decide);
}

/** Brings Signalbox up again whenever it is down, until nothing is left to happen. */
async function comeToRest(simulation: Simulation): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    if (!simulation.node) await simulation.open();
    if (!(await simulation.step()) && simulation.node) return;
  }
  throw new Error(`it does not come to rest within ${STEPS_MAX} steps`);
}

function ends(simulation: Simulation): Record<string, string> {
  return Object.fromEntries([...simulation.model.tasks.values()].map(({ id, state }) => [id, state]));
}

const END = {
  parent: 'done',
  retried: 'done',
  'retried-f1': 'done',
  stays: 'done',
  speaks: 'done',
  hangs: 'failed',
  never: 'blocked',
  broken: 'failed',
  cancelled: 'cancelled',
  held: 'blocked',
};

describe('a scenario with a crash at every append', () => {
  it('finishes without a crash', async () => {
    const simulation = await Simulation.begin({ agents: AGENTS });
    await play(simulation);
    await comeToRest(simulation);
    expect(ends(simulation)).toEqual(END);
  });

  it.each(['lost', 'unanswered'] as const)(
    'supervision/acts-on-stored-records: ends the same when the append is %s',
    async (fault) => {
      let last = Number.POSITIVE_INFINITY;
      let begin = 0;
      for (let after = 1; begin + after <= last; after++) {
        const simulation = await Simulation.begin({ agents: AGENTS });
        await play(simulation);
        begin = simulation.log.appends;
        simulation.log.faults.set(begin + after, fault);
        await comeToRest(simulation);
        expect(ends(simulation), `crash at append ${begin + after}`).toEqual(END);
        last = Math.min(last, simulation.log.appends);
      }
      expect(last).toBeGreaterThan(50);
    },
  );
});
