/**
 * Whatever order events come in: within a queue priority goes first, then age; no project starves; agents and caps are
 * never overrun. Real supervisors in simulated time, with random work.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskKey } from '../../src/contracts/ids.ts';
import type { TaskSpec } from '../../src/contracts/tasks.ts';
import { agent } from '../support/simulation/agent.ts';
import { scripts } from '../support/simulation/script.ts';
import { Simulation } from '../support/simulation/simulation.ts';

const PROJECTS = ['north', 'south', 'west'] as const;
const AGENTS = ['a', 'b'] as const;

interface Work {
  readonly project: (typeof PROJECTS)[number];
  readonly agent: (typeof AGENTS)[number];
  readonly priority: number;
  /** Milliseconds after the one before. */
  readonly gap: number;
  /** Milliseconds that it takes. */
  readonly takes: number;
  readonly fails: boolean;
}

const work: fc.Arbitrary<Work> = fc.record({
  project: fc.constantFrom(...PROJECTS),
  agent: fc.constantFrom(...AGENTS),
  priority: fc.integer({ min: 1, max: 10 }),
  gap: fc.integer({ min: 0, max: 2_000 }),
  takes: fc.integer({ min: 0, max: 5_000 }),
  fails: fc.boolean(),
});

const world = fc.record({
  works: fc.array(work, { minLength: 1, maxLength: 25, size: 'max' }),
  slots: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  projectConcurrency: fc.integer({ min: 1, max: 3 }),
  /** Where in the work Signalbox dies. */
  crashAt: fc.option(fc.nat({ max: 25 }), { nil: null }),
});
type WorldOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never;

/** Runs all the work to its end. @param look called whenever nothing more happens at that moment */
async function play(
  { works, slots, crashAt, ...limits }: WorldOf<typeof world>,
  look: (simulation: Simulation) => void = () => {},
): Promise<Simulation> {
  const run = ({ task, attempt }: { task: string; attempt: number }) => {
    const { takes = 0, fails = false } = works[Number(task)] ?? {};
    return fails && attempt === 1 ? scripts.fails(takes) : scripts.succeeds(takes);
  };
  const agents = AGENTS.map((id) => agent(id, run, { concurrency: slots }));
  const simulation = await Simulation.begin({ agents, limits });
  const { clock } = simulation;
  for (const [index, { project, agent: id, priority, gap }] of works.entries()) {
    await simulation.advance(gap);
    if (index === crashAt) {
      simulation.crash();
      await simulation.restart();
    }
    const backoff = { initial_seconds: 1, factor: 1, jitter: 0 };
    await simulation.create({ id: `${index}`, agent: id, priority, backoff, max_attempts: 2 }, project);
  }
  for (let isWoken = true; isWoken; isWoken = await simulation.step()) {
    if (clock.nextAt() !== clock.passed) look(simulation);
  }
  expect(simulation.app.state.projections.blackboard.counts.done).toBe(works.length);
  return simulation;
}

interface Waiting {
  readonly key: string;
  readonly project: string;
  readonly spec: TaskSpec;
  /** Sequence of its first event. */
  readonly age: number;
  /** When it became pending, in epoch milliseconds. */
  readonly since: number;
}

/** Calls `look` at every claim with the task that is claimed and those that were pending before that moment. */
function atEveryClaim(simulation: Simulation, look: (claimed: Waiting, others: Waiting[]) => void): void {
  const first = new Map<string, { spec: TaskSpec; age: number }>();
  const waiting = new Map<string, Waiting>();
  for (const { event, transitions, time, sequence } of simulation.records) {
    if (!('task' in event)) continue;
    const key = taskKey(event);
    if (event.type === 'task.created') first.set(key, { spec: event.spec, age: sequence });
    const claimed = waiting.get(key);
    if (event.type === 'task.claimed' && claimed) {
      look(
        claimed,
        [...waiting.values()].filter((other) => other !== claimed && other.since < time),
      );
    }
    const to = transitions.find(({ entity }) => entity === 'task')?.to;
    const known = first.get(key);
    if (to === 'pending' && known) waiting.set(key, { key, project: event.project, since: time, ...known });
    else waiting.delete(key);
  }
}

describe('scheduling', () => {
  it('gives each agent the task of a project with the highest priority first, and of equal ones the oldest', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        atEveryClaim(await play(given), (claimed, others) => {
          const rivals = others.filter(
            ({ project, spec }) => project === claimed.project && spec.agent === claimed.spec.agent,
          );
          for (const rival of rivals) {
            const order = claimed.spec.priority - rival.spec.priority || rival.age - claimed.age;
            expect(order, `${claimed.key} was claimed before ${rival.key}`).toBeGreaterThan(0);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('dispatch/priority-then-age: passes over a project at most once for each other project', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        // One slot for all, so that no project has an attempt open when the next one is chosen.
        const simulation = await play({ ...given, concurrency: 1, crashAt: null });
        const passed = new Map<string, number>();
        atEveryClaim(simulation, (claimed, others) => {
          passed.set(claimed.project, 0);
          for (const project of new Set(others.map((other) => other.project))) {
            if (project === claimed.project) continue;
            passed.set(project, (passed.get(project) ?? 0) + 1);
            expect(passed.get(project), `${project} waits`).toBeLessThan(PROJECTS.length);
          }
          for (const project of passed.keys()) {
            if (!others.some((other) => other.project === project)) passed.set(project, 0);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('leaves no slot idle while there is work for it', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        await play(given, ({ model }) => {
          const { slots, concurrency, projectConcurrency } = given;
          const tasks = [...model.tasks.values()];
          for (const { project, spec, state } of tasks.filter(({ open }) => open === null)) {
            const inProject = tasks.filter((task) => task.project === project && task.open !== null);
            const couldRun =
              model.running(spec.agent ?? '') < slots &&
              model.open < concurrency &&
              inProject.length < projectConcurrency;
            expect(state === 'pending' && couldRun, 'it waits though a slot is free').toBe(false);
          }
        });
      }),
      { numRuns: 60 },
    );
  });
});
