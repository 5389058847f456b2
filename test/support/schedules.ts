/** Schedules in simulated time. */
import { createSchedule } from '../../src/app/schedules/schedules.ts';
import { createScheduleSchema } from '../../src/contracts/api/schedules.ts';
import type { EventOf } from '../../src/contracts/events/events.ts';
import { agent } from './simulation/agent.ts';
import { scripts } from './simulation/script.ts';
import type { Simulation } from './simulation/simulation.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** What differs from an hourly schedule `s`. */
export type ScheduleRequest = Partial<Parameters<typeof createScheduleSchema.parse>[0] & object>;

/** Creates the schedule `s` in the project `demo`. */
export async function schedule(simulation: Simulation, request: ScheduleRequest = {}): Promise<void> {
  const parsed = createScheduleSchema.parse({
    id: 's',
    project: 'demo',
    every_seconds: 3_600,
    task: { title: 'Report of {{nominal_time}}', agent: 'a', review: 'auto', max_attempts: 1 },
    ...request,
  });
  await simulation.answer(createSchedule(simulation.app, parsed, 'user:test'));
}

/** The tasks of schedules, in the order of their creation. */
export function created(simulation: Simulation): EventOf<'task.created'>[] {
  return simulation.records.flatMap(({ event }) =>
    event.type === 'task.created' && event.spec.schedule !== undefined ? [event] : [],
  );
}

/** The times that they are for. */
export const nominals = (simulation: Simulation): number[] =>
  created(simulation).map(({ spec }) => spec.schedule?.nominal_ms ?? 0);

export const states = (simulation: Simulation): string[] =>
  created(simulation).map(({ task }) => simulation.task(task).state);

/** An agent that succeeds after so many milliseconds. */
export const takes = (ms: number) => [
  agent('a', scripts.succeeds(ms), { timeoutMs: 100 * HOUR_MS, concurrency: 9 }),
];
